from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from warmline.lab.atlas import AtlasCluster
from warmline.lab.experiments import ExperimentResult, RunOptions
from warmline.lab.experiments.snapstart import EXPERIMENT, METRICS

ENVIRONMENTS = 3


@pytest.fixture(scope="module")
def result() -> Iterator[ExperimentResult]:
    uri = AtlasCluster.uri

    def impatient(cluster: AtlasCluster, *, options: str, **keywords: Any) -> str:
        # A dead connection is noticed after this time, by default after 20 s.
        return uri(cluster, options=f"connectTimeoutMS=3000&{options}".rstrip("&"), **keywords)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AtlasCluster, "uri", impatient)
        yield asyncio.run(EXPERIMENT.run(RunOptions(environments=ENVIRONMENTS), lambda *_: None))


def test_a_client_that_goes_into_the_snapshot_waits_on_a_dead_connection(result: ExperimentResult) -> None:
    documented = result.variants["documented"]
    assert documented["connections_in_snapshot"] == 4
    assert documented["dead_connections"] == 4
    assert documented["first_operation_ms_p50"] > 2900


def test_copies_of_its_server_session_lose_all_writes_but_one(result: ExperimentResult) -> None:
    assert result.variants["documented"]["lost_writes"] == ENVIRONMENTS - 1
    assert result.variants["documented-lazy"]["lost_writes"] == 0
    assert result.variants["warmline"]["lost_writes"] == 0


def test_copies_know_the_same_mongos_and_make_the_same_ids(result: ExperimentResult) -> None:
    assert result.variants["documented"]["mongos_choices"] == 1
    assert result.variants["documented"]["busiest_mongos_percent"] == 100
    for variant in ("documented", "documented-lazy"):
        assert result.variants[variant]["distinct_object_ids"] == 1


def test_with_warmline_every_environment_begins_for_itself(result: ExperimentResult) -> None:
    ours = result.variants["warmline"]
    assert ours["connections_in_snapshot"] == 0
    assert ours["dead_connections"] == 0
    assert ours["mongos_choices"] > 1
    assert ours["distinct_object_ids"] == ENVIRONMENTS


def test_nothing_fails_and_every_metric_is_measured(result: ExperimentResult) -> None:
    names = {metric.name for metric in METRICS}
    for metrics in result.variants.values():
        assert metrics.keys() == names
        assert metrics["errors"] == 0
