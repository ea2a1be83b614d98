from __future__ import annotations

import os

import pytest

from warmline import connect
from warmline.runtime.environment import bound_lookups


@pytest.fixture(autouse=True)
def _no_options(monkeypatch: pytest.MonkeyPatch) -> None:
    # Set first, so that what a test leaves there is taken away again.
    monkeypatch.setenv("RES_OPTIONS", "")
    monkeypatch.delenv("RES_OPTIONS")


@pytest.mark.usefixtures("on_lambda")
def test_on_lambda_a_name_is_not_looked_up_for_longer_than_most_invocations_last() -> None:
    bound_lookups()
    assert os.environ["RES_OPTIONS"] == "timeout:1 attempts:2"


@pytest.mark.usefixtures("on_lambda")
def test_a_client_of_a_process_that_was_forked_after_the_import_has_it_too() -> None:
    connect("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=1")
    assert "RES_OPTIONS" in os.environ


@pytest.mark.usefixtures("on_lambda")
def test_what_the_function_has_set_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RES_OPTIONS", "ndots:2")
    bound_lookups()
    assert os.environ["RES_OPTIONS"] == "ndots:2"


def test_outside_of_lambda_lookups_are_left_alone() -> None:
    bound_lookups()
    assert "RES_OPTIONS" not in os.environ
