from __future__ import annotations

import asyncio

import pytest

from warmline.lab.experiments import ExperimentResult, RunOptions
from warmline.lab.experiments.idle_time import EXPERIMENT, Plan, metrics, run


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    """
    Steady requests, and a freeze on a healthy network.
    """
    plan = Plan(idle_time_ms=3000, requests=6, long_seconds=3.5, freezes=())
    return asyncio.run(run(RunOptions(environments=2), lambda *_: None, plan))


def test_far_too_short_an_idle_time_connects_with_every_request(result: ExperimentResult) -> None:
    created = {name: found["created_per_request"] for name, found in result.variants.items()}
    assert created == {"none": 0, "documented": 0, "too-short": 1, "warmline": 0}


def test_a_frozen_environment_keeps_its_connections_whatever_the_idle_time(result: ExperimentResult) -> None:
    assert {found["open_while_frozen"] for found in result.variants.values()} == {2}


def test_what_was_idle_for_too_long_is_replaced_when_it_is_needed(result: ExperimentResult) -> None:
    created = {name: found["created_after_freeze"] for name, found in result.variants.items()}
    assert (created["none"], created["documented"], created["too-short"]) == (0, 1, 1)
    # Its monitor's connection too, which has no idle time.
    assert created["warmline"] == 2


def test_nothing_fails_on_a_healthy_network(result: ExperimentResult) -> None:
    assert [found["errors"] for found in result.variants.values()] == [0, 0, 0, 0]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_idle_time_helps_after_a_longer_freeze_that_the_clock_has_seen_and_warmline_after_each() -> None:
    result = asyncio.run(EXPERIMENT.run(RunOptions(environments=2), lambda *_: None))
    assert all(found.keys() == {metric.name for metric in metrics(Plan())} for found in result.variants.values())
    waits = {
        name: {metric for metric, value in found.items() if metric.startswith("first_ms") and value > 10_000}
        for name, found in result.variants.items()
    }
    freezes = {metric for metric in result.variants["none"] if metric.startswith("first_ms")}
    assert waits == {
        "none": freezes,
        "documented": freezes - {"first_ms_longer_clock_runs"},
        "too-short": {metric for metric in freezes if metric.endswith("stands_still")},
        "warmline": set(),
    }
