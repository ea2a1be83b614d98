from __future__ import annotations

import asyncio
import math
import shutil

import pytest

from warmline.lab.aws import InvokeResult, Monotonic
from warmline.lab.errors import ClockUnavailable
from warmline.lab.experiments import EXPERIMENTS, ExperimentResult, RunOptions
from warmline.lab.experiments.thaw import run
from warmline.lab.experiments.thaw.cases import EVENTS, VARIANTS, Case, Plan
from warmline.lab.experiments.thaw.measure import Measurement, Operation, Thawed
from warmline.lab.experiments.thaw.result import to_result

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")

LOST, UNREACHABLE = "old_flows_black_holed", "all_black_holed"
CLOCKS = ("clock_runs", "clock_stands_still")
OK, FAILED = 0, 1


def plan(*, events: str = "nothing " + LOST, variants: str, clocks: tuple[Monotonic, ...]) -> Plan:
    """
    A short freeze, and only what is named.
    """
    return Plan(
        events=tuple(event for event in EVENTS if event.name in events.split()),
        clocks=clocks,
        variants=tuple(variant for variant in VARIANTS if variant.name in variants.split()),
        freeze_seconds=5.0,
    )


@pytest.fixture(scope="module")
def short() -> ExperimentResult:
    """
    A real freeze of a few seconds, with the clock that stands still where there is a compiler.
    """
    both: tuple[Monotonic, ...] = ("runs", "stands-still")
    chosen = plan(variants="socket-timeout warmline", clocks=both if shutil.which("cc") else both[:1])
    return asyncio.run(run(RunOptions(), lambda *_: None, chosen))


def test_an_operation_on_a_lost_connection_waits_for_the_socket_s_timeout(short: ExperimentResult) -> None:
    metrics = short.variants["socket-timeout"]
    assert metrics[f"first_ms_{LOST}_clock_runs"] >= 2_000
    assert metrics[f"second_ms_{LOST}_clock_runs"] < 2_000
    assert metrics["first_ms_nothing_clock_runs"] < 2_000


def test_warmline_does_not_wait_on_a_connection_from_before_the_freeze(short: ExperimentResult) -> None:
    assert short.variants["warmline"]["worst_first_ms_reachable"] < 2_000


def test_after_a_freeze_everything_works_again(short: ExperimentResult) -> None:
    for metrics in short.variants.values():
        outcomes = {name: value for name, value in metrics.items() if name.startswith("outcome_")}
        assert set(outcomes.values()) == {OK}
        assert metrics["failed_reachable"] == 0


@needs_compiler
def test_the_clock_stands_still_in_half_of_the_cases(short: ExperimentResult) -> None:
    names = [f"first_ms_{event}_{clock}" for event in ("nothing", LOST) for clock in CLOCKS]
    for metrics in short.variants.values():
        assert [name for name in metrics if name.startswith("first_ms_")] == names


@pytest.mark.slow
@needs_compiler
@pytest.mark.timeout(600)
def test_all_cases_of_a_freeze_that_is_longer_than_the_idle_time() -> None:
    (experiment,) = [experiment for experiment in EXPERIMENTS if experiment.name == "thaw"]
    result = asyncio.run(experiment.run(RunOptions(), lambda *_: None))
    documented, idle, ours = (result.variants[name] for name in ("documented", "idle-time", "warmline"))
    # PyMongo notices by its monitor's timeout of 20 s; the idle time spares it that if the clock tells how long it was.
    assert documented[f"first_ms_{LOST}_clock_runs"] > 15_000
    assert idle[f"first_ms_{LOST}_clock_runs"] < 2_000
    assert idle[f"first_ms_{LOST}_clock_stands_still"] > 15_000
    assert ours["worst_first_ms_reachable"] < 2_000
    assert ours["failed_reachable"] == 0
    assert [ours[f"outcome_{UNREACHABLE}_{clock}"] for clock in CLOCKS] == [FAILED, FAILED]
    assert ours["worst_first_ms_unreachable"] < 10_000
    for metrics in result.variants.values():
        assert len([name for name in metrics if name.startswith("outcome_")]) == 2 * len(EVENTS)


def invoked(payload: bytes = b"null", *, function_error: str | None = None, ms: float = 10.0) -> InvokeResult:
    return InvokeResult("1", payload, function_error, "$LATEST", ms, ms, None, "thaw-1", "")


def thawed(*operations: Operation, result: InvokeResult | None = None, frozen: Case | None = None) -> Thawed:
    return Thawed(
        VARIANTS[-1],
        frozen or Case(EVENTS[0], "runs"),
        invoked(),
        Operation(1.0, None, 100.0),
        result or invoked(),
        operations,
    )


def result_of(one: Thawed) -> ExperimentResult:
    measured = Measurement((one,), "6.0.5", "cgroup", 1)
    alone = plan(events=one.case.event.name, clocks=(one.case.monotonic,), variants="warmline")
    return to_result(alone, RunOptions(), measured)


@pytest.mark.parametrize(
    ("one", "outcome", "first_ms", "second_ms"),
    [
        (thawed(Operation(5.0, None, 106.0), Operation(1.0, None, 106.0)), 0, 5.0, 1.0),
        (thawed(Operation(5.0, None, 106.0), Operation(9.0, "NetworkTimeout", 106.0)), 1, 5.0, 9.0),
        (
            thawed(
                Operation(5.0, None, 106.0),
                result=invoked(b'{"errorType": "Sandbox.Timedout"}', function_error="Unhandled", ms=3000),
            ),
            2,
            5.0,
            math.nan,
        ),
        (
            thawed(result=invoked(b'{"errorType": "Sandbox.Timedout"}', function_error="Unhandled", ms=3000)),
            2,
            3000.0,
            math.nan,
        ),
        (
            thawed(result=invoked(b'{"errorType": "Runtime.ExitError"}', function_error="Unhandled", ms=7)),
            3,
            7.0,
            math.nan,
        ),
    ],
    ids=["ok", "an error in time", "killed in the second", "killed in the first", "a crash"],
)
def test_an_outcome_says_how_the_invocation_ended(one: Thawed, outcome: int, first_ms: float, second_ms: float) -> None:
    metrics = result_of(one).variants["warmline"]
    assert metrics["outcome_nothing_clock_runs"] == outcome
    assert metrics["first_ms_nothing_clock_runs"] == first_ms
    assert metrics["second_ms_nothing_clock_runs"] == pytest.approx(second_ms, nan_ok=True)
    assert metrics["failed_reachable"] == (outcome != 0)


def test_a_clock_that_was_to_stand_still_and_did_not_ends_the_run() -> None:
    frozen = Case(EVENTS[0], "stands-still")
    with pytest.raises(ClockUnavailable, match="the monotonic clock of thaw-1 went on by 5 s"):
        result_of(thawed(Operation(5.0, None, 105.0), frozen=frozen))


def test_without_the_clock_that_stands_still_a_note_says_so() -> None:
    notes = result_of(thawed(Operation(5.0, None, 105.0))).notes
    assert any("they need Linux and a C compiler" in note for note in notes)
