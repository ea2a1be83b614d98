from __future__ import annotations

import asyncio

import pytest

from warmline.lab.experiments import ExperimentResult, RunOptions
from warmline.lab.experiments.connect_at_init import EXPERIMENT, METRICS, MISTAKES, Where


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    return asyncio.run(EXPERIMENT.run(RunOptions(environments=2), lambda *_: None))


@pytest.mark.parametrize("variant", ["in-handler", "documented"])
def test_without_a_connection_in_init_the_first_request_opens_all_four(result: ExperimentResult, variant: str) -> None:
    assert result.variants[variant]["connections_in_init"] == 0
    assert result.variants[variant]["connections_later"] == 4


@pytest.mark.parametrize("variant", ["pinged", "warmline"])
def test_what_connects_in_init_has_its_connection_before_the_first_request(
    result: ExperimentResult, variant: str
) -> None:
    metrics = result.variants[variant]
    # The primary's two at least; the secondaries' monitors may be a moment later.
    assert 2 <= metrics["connections_in_init"] <= 4
    assert metrics["connections_in_init"] + metrics["connections_later"] == 4


@pytest.mark.parametrize(
    ("variant", "where"),
    [
        ("in-handler", [Where.NOWHERE, Where.REQUEST, Where.REQUEST, Where.HIDDEN]),
        ("documented", [Where.NOWHERE, Where.REQUEST, Where.REQUEST, Where.HIDDEN]),
        # Its ping waits longer for a server than Init may take.
        ("pinged", [Where.NOWHERE, Where.INIT, Where.INIT, Where.HIDDEN]),
        ("warmline", [Where.INIT, Where.LOG, Where.LOG, Where.LOG]),
    ],
)
def test_a_mistake_comes_to_light_where_the_connection_is_made(
    result: ExperimentResult, variant: str, where: list[Where]
) -> None:
    assert [result.variants[variant][f"where_{mistake.name}"] for mistake in MISTAKES] == where


def test_nothing_else_fails_and_every_metric_is_measured(result: ExperimentResult) -> None:
    names = {metric.name for metric in METRICS}
    for metrics in result.variants.values():
        assert metrics.keys() == names
        assert metrics["errors"] == 0
