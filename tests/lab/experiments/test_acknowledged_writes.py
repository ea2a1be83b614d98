from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

import pytest

from warmline.lab.experiments import EXPERIMENTS, ExperimentResult, RunOptions
from warmline.lab.experiments.acknowledged_writes import run
from warmline.lab.experiments.acknowledged_writes.books import Entry, compare, read_entries
from warmline.lab.experiments.acknowledged_writes.faults import FAULTS
from warmline.lab.experiments.acknowledged_writes.waves import VARIANTS, Plan

INSERTS = 300


def in_order(metrics: Mapping[str, float], inserts: int) -> None:
    """
    Every acknowledged insert is there once and was told in time, and the books are complete.
    """
    assert (metrics["lost"], metrics["duplicated"], metrics["past_deadline"]) == (0, 0, 0)
    assert metrics["acknowledged"] + metrics["errors"] + metrics["unanswered"] == inserts


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    """
    A few hundred inserts and a step-down.
    """
    plan = Plan(inserts=INSERTS, batch=5, faults=FAULTS[:1], variants=VARIANTS[1:], fault_after_seconds=0.1)
    return asyncio.run(run(RunOptions(environments=6), lambda *_: None, plan))


def test_over_a_step_down_every_acknowledged_insert_is_there_once(result: ExperimentResult) -> None:
    in_order(result.variants["warmline"], INSERTS)


def test_the_fault_comes_while_inserts_run_and_costs_few_of_them(result: ExperimentResult) -> None:
    assert result.variants["warmline"]["faults"] == 1
    # A write is tried again, and another member is elected at once.
    assert result.variants["warmline"]["acknowledged"] > INSERTS / 2
    assert result.variants["warmline"]["killed"] == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ten_thousand_inserts_over_every_fault() -> None:
    (experiment,) = [experiment for experiment in EXPERIMENTS if experiment.name == "acknowledged-writes"]
    result = asyncio.run(experiment.run(RunOptions(environments=50), lambda *_: None))
    for metrics in result.variants.values():
        in_order(metrics, 10_000)
        assert metrics["acknowledged"] > 5_000
        assert metrics["faults"] == len(FAULTS)
    # Not none: on a loaded machine an invocation may be late for other reasons than what it waits for.
    assert result.variants["warmline"]["killed"] < result.variants["documented"]["killed"]


def test_each_number_is_in_the_wave_of_one_fault() -> None:
    plan = Plan(inserts=997, batch=10)
    numbers = [number for fault in plan.faults for batch in plan.wave(fault) for number in batch]
    assert sorted(numbers) == list(range(997))
    assert {len(batch) for fault in plan.faults for batch in plan.wave(fault)} == {10, 7}


def test_the_books_say_what_became_of_every_number() -> None:
    entries = [
        Entry(0, None, 900.0),
        Entry(1, None, 800.0),  # lost
        Entry(2, None, 700.0),  # there twice
        Entry(3, "NetworkTimeout", 600.0),  # there all the same
        Entry(4, "AutoReconnect", -5.0),
        Entry(5, None, -1.0),  # too late
    ]
    there = Counter({0: 1, 2: 2, 3: 1, 5: 1, 6: 1})
    assert compare({"step_down": range(4), "restart": range(4, 8)}, entries, there) == {
        "acknowledged": 4,
        "lost": 1,
        "duplicated": 1,
        "past_deadline": 1,
        "errors": 2,
        "unanswered": 2,
        "unacknowledged_but_there": 2,
        "unacknowledged_step_down": 1,
        "unacknowledged_restart": 3,
    }


def test_a_log_holds_other_lines_too_and_may_end_within_one() -> None:
    log = '[WARNING] something\n{"number": 7, "error": null, "left_ms": 12}\nTraceback: {}\n{"number": 8, "er'
    assert read_entries(log) == [Entry(7, None, 12)]
