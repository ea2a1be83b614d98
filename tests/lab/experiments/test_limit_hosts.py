from __future__ import annotations

import asyncio

import pytest

from warmline.lab.experiments import ExperimentResult, RunOptions
from warmline.lab.experiments.limit_hosts import EXPERIMENT, FACES


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    return asyncio.run(EXPERIMENT.run(RunOptions(environments=2), lambda *_: None))


@pytest.mark.parametrize("variant", ["srvMaxHosts-3", "warmline"])
def test_three_hosts_mean_a_monitor_each_and_connections_to_those_that_were_near_enough(
    variant: str, result: ExperimentResult
) -> None:
    assert result.variants[variant]["hosts"] == 3
    assert 3 < result.variants[variant]["sockets"] <= 6


def test_all_hosts_mean_ten_times_as_many(result: ExperimentResult) -> None:
    assert result.variants["all-hosts"]["hosts"] == FACES
    assert FACES < result.variants["all-hosts"]["sockets"] <= 2 * FACES


def test_the_limit_does_not_work_on_a_replica_set_and_the_error_is_shown(result: ExperimentResult) -> None:
    assert any("You cannot specify replicaSet with srvMaxHosts" in note for note in result.notes)


def test_no_invocation_fails(result: ExperimentResult) -> None:
    assert [metrics["errors"] for metrics in result.variants.values()] == [0, 0, 0]
