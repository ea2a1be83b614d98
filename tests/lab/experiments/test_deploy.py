from __future__ import annotations

import asyncio

import pytest

from warmline.lab.experiments import ExperimentResult, RunOptions, deploy


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    """
    A run with one deploy of each variant, and less waiting.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deploy, "DEPLOYS", 1)
        patch.setattr(deploy, "FADE_SECONDS", 1.0)
        patch.setattr(deploy, "AFTER_SECONDS", 1.0)
        return asyncio.run(deploy.EXPERIMENT.run(RunOptions(environments=2), lambda *_: None))


def test_old_and_new_environments_are_connected_at_the_same_time(result: ExperimentResult) -> None:
    for metrics in result.variants.values():
        assert metrics["primary_before"] == 4
        assert metrics["primary_peak"] == 8
        assert metrics["cold_starts"] == 4


def test_what_nobody_has_closed_stays(result: ExperimentResult) -> None:
    metrics = result.variants["documented"]
    # Two on the primary and one on each secondary, of two environments.
    assert metrics["old_left"] == 8
    assert metrics["primary_after"] == 8


def test_warmlines_connections_end_with_their_environments(result: ExperimentResult) -> None:
    metrics = result.variants["warmline"]
    assert metrics["old_left"] == 0
    assert metrics["primary_after"] == 4
    assert metrics["old_gone_seconds"] >= 0


def test_nothing_fails_and_every_metric_is_measured(result: ExperimentResult) -> None:
    names = {metric.name for metric in deploy.METRICS}
    for metrics in result.variants.values():
        assert metrics.keys() == names
        assert metrics["errors"] == 0
    assert {series.variant for series in result.environments} == set(result.variants)
