from __future__ import annotations

import asyncio

import pytest

from warmline.lab.experiments import EXPERIMENTS, ExperimentResult, RunOptions
from warmline.lab.experiments.shutdown import EXPERIMENT


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    progress: list[float] = []
    found = asyncio.run(EXPERIMENT.run(RunOptions(environments=1), lambda _, done: progress.append(done)))
    assert progress == sorted(progress)
    return found


def clean(result: ExperimentResult, variant: str) -> dict[str, float]:
    prefix = f"clean_of_{result.parameters['environments']}_"
    return {
        name.removeprefix(prefix): value for name, value in result.variants[variant].items() if name.startswith(prefix)
    }


def test_with_warmline_every_environment_ends_by_itself_and_leaves_no_connection(result: ExperimentResult) -> None:
    of_case = clean(result, "warmline")
    situations = {"never_frozen", "thawed_signal", "mid_operation", "dead_network"}
    assert {f"{one}_{way}" for one in situations for way in ("thread", "libcurl")} <= of_case.keys()
    assert set(of_case.values()) == {1}
    assert result.variants["warmline"]["deadlocks_of_12"] == 0


def test_a_signal_handler_is_never_reached_while_the_runtime_client_waits_in_libcurl(result: ExperimentResult) -> None:
    assert clean(result, "aws-sample")["never_frozen_libcurl"] == 0


def test_without_an_extension_nobody_is_asked(result: ExperimentResult) -> None:
    assert clean(result, "none") == {"never_frozen_thread": 0, "never_frozen_libcurl": 0}


def test_every_case_has_a_time(result: ExperimentResult) -> None:
    for variant in result.variants:
        assert {f"p99_ms_{name}" for name in clean(result, variant)} <= result.variants[variant].keys()


def test_what_the_command_line_runs_ends_forty_environments_a_case() -> None:
    assert EXPERIMENT in EXPERIMENTS
    assert EXPERIMENT.environments == 40


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_forty_endings_of_each_case_are_clean_and_none_of_five_hundred_deadlocks() -> None:
    result = asyncio.run(EXPERIMENT.run(RunOptions(environments=40), lambda *_: None))
    assert set(clean(result, "warmline").values()) == {40}
    assert result.variants["warmline"]["deadlocks_of_500"] == 0
