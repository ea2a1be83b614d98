from __future__ import annotations

import asyncio

import pytest

from warmline.lab.experiments import ExperimentResult, RunOptions
from warmline.lab.experiments.managed_instances import EXPERIMENT, METRICS, WORKERS

ENVIRONMENTS = 2


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    return asyncio.run(EXPERIMENT.run(RunOptions(environments=ENVIRONMENTS), lambda *_: None))


@pytest.mark.parametrize("variant", ["documented", "warmline"])
def test_each_worker_holds_one_client_of_its_own_as_the_plan_says(result: ExperimentResult, variant: str) -> None:
    metrics = result.variants[variant]
    assert metrics["workers"] == ENVIRONMENTS * WORKERS
    assert metrics["primary_connections_per_worker"] == 2
    assert metrics["secondary_connections_per_worker"] == 1
    assert metrics["primary_connections_per_environment"] == metrics["planned_primary_connections_per_environment"]
    assert metrics["secondary_connections_per_environment"] == metrics["planned_secondary_connections_per_environment"]


def test_with_warmline_all_workers_have_closed_their_clients_before_sigkill(result: ExperimentResult) -> None:
    assert result.variants["documented"]["connections_open_at_kill"] == ENVIRONMENTS * WORKERS * 4
    assert result.variants["warmline"]["connections_open_at_kill"] == 0


def test_nothing_fails_nothing_is_left_and_every_metric_is_measured(result: ExperimentResult) -> None:
    names = {metric.name for metric in METRICS}
    for metrics in result.variants.values():
        assert metrics.keys() == names
        assert metrics["errors"] == 0
        assert metrics["connections_left_after_shutdown"] == 0


def test_the_series_show_instances_and_connections_come_and_go(result: ExperimentResult) -> None:
    primary = [series for series in result.connections if series.node == "primary"]
    assert [max(series.counts) for series in primary] == [ENVIRONMENTS * WORKERS * 2] * len(result.variants)
    for variant in result.variants:
        mine = [series for series in result.environments if series.variant == variant]
        totals = [sum(counts) for counts in zip(*(series.counts for series in mine), strict=True)]
        assert (max(totals), totals[-1]) == (ENVIRONMENTS, 0)
        assert [event.label for event in result.events[variant]] == ["start", "invocations", "shutdown"]
