from __future__ import annotations

import asyncio

import pytest

from warmline.lab.experiments import ExperimentResult, RunOptions, deadline

ENVIRONMENTS = 2


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    return asyncio.run(deadline.run(RunOptions(environments=ENVIRONMENTS), lambda _doing, _done: None))


@pytest.mark.parametrize("case", [case.name for case in deadline.CASES])
def test_with_warmline_every_error_tells_its_reason_and_no_environment_is_reset(
    case: str, result: ExperimentResult
) -> None:
    metrics = result.variants["warmline"]
    assert metrics[f"reason_told_{case}"] == ENVIRONMENTS
    assert metrics[f"task_timed_out_{case}"] == metrics[f"environments_reset_{case}"] == 0
    assert metrics[f"left_on_the_server_{case}"] == 0


def test_mongodbs_example_is_timed_out_and_reset_and_its_operation_runs_on(result: ExperimentResult) -> None:
    metrics = result.variants["documented"]
    for case in ("slow_operation", "black_hole"):
        assert metrics[f"task_timed_out_{case}"] == metrics[f"environments_reset_{case}"] == ENVIRONMENTS
        assert metrics[f"reason_told_{case}"] == 0
    assert metrics["left_on_the_server_slow_operation"] == ENVIRONMENTS
