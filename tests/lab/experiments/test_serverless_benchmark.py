from __future__ import annotations

import asyncio

import pytest

from warmline.lab.experiments import ExperimentResult, RunOptions, serverless_benchmark
from warmline.lab.experiments.serverless_benchmark import CONNECTIONS, EXPERIMENT, levels, metrics_of

CALLERS = 17


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serverless_benchmark, "LEVELS", ())
        patch.setattr(serverless_benchmark, "_LEVEL_SECONDS", 1.0)
        return asyncio.run(EXPERIMENT.run(RunOptions(environments=CALLERS), lambda *_: None))


def test_clients_that_are_kept_take_all_connections_and_the_rest_is_refused(result: ExperimentResult) -> None:
    for variant in ("documented", "warmline"):
        metrics = result.variants[variant]
        assert metrics[f"peak_connections_{CALLERS}"] == CONNECTIONS
        assert metrics[f"refused_{CALLERS}"] > 0
        assert metrics[f"failed_{CALLERS}"] > 0


def test_warmline_raises_before_lambda_ends_the_invocation(result: ExperimentResult) -> None:
    assert result.variants["warmline"][f"timeouts_{CALLERS}"] == 0


def test_with_a_concurrency_that_fits_nothing_fails_and_nothing_is_refused(result: ExperimentResult) -> None:
    metrics = result.variants["budget"]
    assert metrics[f"success_percent_{CALLERS}"] == 100
    assert metrics[f"failed_{CALLERS}"] == metrics[f"refused_{CALLERS}"] == 0
    assert metrics[f"throttled_{CALLERS}"] > 0
    assert metrics[f"peak_connections_{CALLERS}"] == CONNECTIONS


def test_a_client_per_invocation_gives_its_connections_back(result: ExperimentResult) -> None:
    assert result.variants["per-invocation"][f"peak_connections_{CALLERS}"] <= CONNECTIONS


def test_every_metric_is_measured(result: ExperimentResult) -> None:
    names = {metric.name for metric in metrics_of((CALLERS,))}
    assert all(metrics.keys() == names for metrics in result.variants.values())


def test_the_levels_are_those_of_the_benchmark_and_what_was_asked_for() -> None:
    assert levels(30) == (5, 10, 20, 30)
    assert levels(100) == (5, 10, 20, 30, 60, 100)
    assert levels(50) == (5, 10, 20, 30, 50)
    assert levels(3) == (3,)
