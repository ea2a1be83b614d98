from __future__ import annotations

import re
from pathlib import Path

import pytest

from warmline.lab.errors import UnusableFunction
from warmline.lab.own import own_function, with_uri


@pytest.fixture(autouse=True)
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "app.py").write_text("def lambda_handler(event, context): ...")
    (tmp_path / "bootstrap.sh").write_text("#!/bin/sh\n")
    (tmp_path / "bootstrap.sh").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_handler_is_a_function_as_lambda_would_make_one() -> None:
    function = own_function("app.lambda_handler")
    assert (function.name, function.code, function.handler) == ("app", Path(), "app.lambda_handler")
    assert (function.memory_mb, function.timeout_seconds, function.start) == (128, 3.0, "exec")
    assert (function.runtime, function.command) == ("python3.13", None)


def test_a_command_is_a_function_that_brings_its_own_runtime() -> None:
    function = own_function(command=("./bootstrap.sh",), name="a function: mine")
    assert (function.name, function.runtime) == ("a-function-mine", "provided.al2023")
    assert own_function("orders.find", command=("./bootstrap.sh",)).handler == "orders.find"
    assert own_function(command=("./bootstrap.sh",), runtime="nodejs22.x").name == "bootstrap"


def test_the_connection_string_goes_where_the_variables_want_it() -> None:
    function = own_function("app.lambda_handler", environment={"SHOP_DB": "{uri}", "OPTIONS": "{uri}&x=1", "A": "{}"})
    assert with_uri(function, "mongodb://h/?a=b").environment == {
        "MONGODB_URI": "mongodb://h/?a=b",
        "SHOP_DB": "mongodb://h/?a=b",
        "OPTIONS": "mongodb://h/?a=b&x=1",
        "A": "{}",
    }


def test_a_variable_that_the_user_sets_is_the_users() -> None:
    function = own_function("app.lambda_handler", environment={"MONGODB_URI": "mongodb://mine"})
    assert with_uri(function, "mongodb://h").environment == {"MONGODB_URI": "mongodb://mine"}


@pytest.mark.parametrize(
    ("command", "says"),
    [(None, "no function is named: give its handler"), ((), "is empty"), (("./missing",), "is not there")],
)
def test_without_a_function_there_is_nothing_to_run(command: tuple[str, ...] | None, says: str) -> None:
    with pytest.raises(UnusableFunction, match=re.escape(says)):
        own_function(command=command)
