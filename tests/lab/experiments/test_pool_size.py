from __future__ import annotations

import asyncio

import pytest

from warmline.lab.experiments import ExperimentResult, RunOptions
from warmline.lab.experiments.experiment import Variant
from warmline.lab.experiments.pool_size import CASES, EXPERIMENT, METRICS, VARIANTS, Case


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    return asyncio.run(EXPERIMENT.run(RunOptions(environments=2), lambda *_: None))


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_environment_holds_what_the_plan_says(result: ExperimentResult, variant: Variant, case: Case) -> None:
    metrics = result.variants[variant.name]
    found = (metrics[f"primary_{case.name}"], metrics[f"secondary_{case.name}"])
    assert found == case.planned(variant)


def test_the_plan_is_that_of_the_practice() -> None:
    documented, minimum, one, ours = VARIANTS
    alone, threads, secondaries = CASES
    assert [alone.planned(variant) for variant in VARIANTS] == [(2, 1), (6, 6), (2, 1), (2, 1)]
    assert (threads.planned(documented), threads.planned(minimum)) == ((11, 1), (11, 6))
    assert (threads.planned(one), threads.planned(ours)) == ((2, 1), (6, 1))
    assert secondaries.planned(documented) == (1, 2)


def test_a_minimum_of_five_makes_eighteen_connections(result: ExperimentResult) -> None:
    assert result.variants["min-pool-size"]["all_nodes_one"] == 18
    assert result.variants["warmline"]["all_nodes_one"] == 4


def test_nothing_fails_and_every_metric_is_measured(result: ExperimentResult) -> None:
    names = {metric.name for metric in METRICS}
    for metrics in result.variants.values():
        assert metrics.keys() == names
        assert metrics["errors"] == 0
