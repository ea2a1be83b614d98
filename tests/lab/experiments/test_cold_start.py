from __future__ import annotations

import asyncio

import pytest

from warmline.lab.experiments import ExperimentResult, RunOptions
from warmline.lab.experiments.cold_start import EXPERIMENT, VARIANTS

# It starts two clusters and some forty interpreters.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    return asyncio.run(EXPERIMENT.run(RunOptions(environments=1), lambda *_: None))


def test_every_variant_has_answered(result: ExperimentResult) -> None:
    names = {variant.name for variants in VARIANTS.values() for variant in variants}
    assert {"documented-iam", "warmline-iam", "documented-scram", "warmline-scram"} <= names
    assert set(result.variants) == names
    for metrics in result.variants.values():
        assert metrics["first_operation_cpu_ms_p50"] > 0
        assert metrics["first_operation_ms_p50_full_cpu"] > 0


def test_the_ratios_are_those_that_runs_are_compared_by(result: ExperimentResult) -> None:
    limited = {"iam_512mb", "scram_512mb"} if result.parameters["cpu_limit"] == "cgroup" else set()
    assert set(result.ratios) == {"iam_full_cpu", "scram_full_cpu", "first_request_to_warm"} | limited
    metric = "first_operation_ms_p50_full_cpu"
    for login in VARIANTS:
        expected = result.variants[f"warmline-{login}"][metric] / result.variants[f"documented-{login}"][metric]
        assert result.ratios[f"{login}_full_cpu"] == expected


def test_warmline_takes_less_cpu_than_mongodbs_examples(result: ExperimentResult) -> None:
    for login in VARIANTS:
        ours, documented = (result.variants[f"{name}-{login}"] for name in ("warmline", "documented"))
        assert ours["first_operation_cpu_ms_p50"] < documented["first_operation_cpu_ms_p50"]


def test_the_notes_say_what_is_replaced(result: ExperimentResult) -> None:
    assert any("lab's authority is added to the roots of Atlas" in note for note in result.notes)
