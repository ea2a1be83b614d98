from __future__ import annotations

import asyncio

import pytest

from warmline.lab.experiments import ExperimentResult, RunOptions, budget


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    """
    A run of two of the variants, whose callers are satisfied sooner, or lose patience sooner.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "ANSWERS", 2)
        patch.setattr(budget, "PATIENCE_SECONDS", 6.0)
        patch.setattr(budget, "RESERVATIONS", [budget.RESERVATIONS[0], budget.RESERVATIONS[-1]])
        return asyncio.run(budget.EXPERIMENT.run(RunOptions(environments=10), lambda *_: None))


def test_a_reserved_concurrency_counts_the_monitors_too() -> None:
    assert budget.limit_of(40) == 30
    assert budget.fitting(30) == 13


def test_where_nothing_is_reserved_connections_are_refused_and_invocations_fail(result: ExperimentResult) -> None:
    metrics = result.variants["documented"]
    assert metrics["peak_primary"] == 8
    assert metrics["refused_primary"] > 0
    assert metrics["failed_invocations"] > 0
    assert metrics["throttled"] == 0


def test_a_reserved_concurrency_that_fits_throttles_and_nothing_fails(result: ExperimentResult) -> None:
    metrics = result.variants["warmline"]
    assert (metrics["reserved"], metrics["environments_reset"]) == (2, 0)
    assert metrics["peak_primary"] == 4
    assert (metrics["failed_invocations"], metrics["refused_primary"]) == (0, 0)
    assert metrics["neighbour_failed_percent"] == 0
    assert metrics["throttled"] > 0


def test_every_metric_is_measured_and_the_limit_is_shown(result: ExperimentResult) -> None:
    names = {metric.name for metric in budget.METRICS}
    assert all(metrics.keys() == names for metrics in result.variants.values())
    assert {series.limit for series in result.connections} == {8}
