from __future__ import annotations

import asyncio

import pytest

from warmline.lab.aws import InvokeResult
from warmline.lab.experiments import ExperimentResult, RunOptions
from warmline.lab.experiments.fault_matrix import EXPERIMENT, run
from warmline.lab.experiments.fault_matrix.cells import Plan
from warmline.lab.experiments.fault_matrix.faults import FAULTS
from warmline.lab.experiments.fault_matrix.result import Outcome, outcome


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    """
    Nothing, and SIGTERM in an operation, with one clock.
    """
    faults = [fault for fault in FAULTS if fault.name in {"nothing", "sigterm"}]
    plan = Plan(faults=faults, clocks=("runs",), freeze_seconds=1.5)
    return asyncio.run(run(RunOptions(), lambda *_: None, plan))


@pytest.mark.parametrize("variant", ["documented", "warmline"])
def test_sigterm_ends_an_environment_in_its_operation_and_the_next_one_works(
    result: ExperimentResult, variant: str
) -> None:
    metrics = result.variants[variant]
    assert metrics["after_nothing_clock_runs"] == Outcome.WRITTEN
    assert metrics["after_sigterm_clock_runs"] == Outcome.ENDED
    assert (metrics["next_good"], metrics["cases"]) == (2, 2)


@pytest.mark.parametrize("variant", ["documented", "warmline"])
def test_what_was_acknowledged_is_there_once(result: ExperimentResult, variant: str) -> None:
    metrics = result.variants[variant]
    # Five writes of each invocation, but of the one that was ended.
    assert metrics["acknowledged"] == 5 * 5
    assert (metrics["lost"], metrics["duplicated"], metrics["past_deadline"]) == (0, 0, 0)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_with_warmline_nothing_is_late_or_lost_and_the_next_invocation_works_whatever_happened() -> None:
    result = asyncio.run(EXPERIMENT.run(RunOptions(), lambda *_: None))
    documented, ours = result.variants["documented"], result.variants["warmline"]
    assert (ours["past_deadline"], ours["lost"], ours["duplicated"]) == (0, 0, 0)
    assert ours["next_good"] == ours["cases"] == len(FAULTS) * len(Plan().clocks)
    # The cases are such that they do harm.
    assert (documented["lost"], documented["duplicated"]) == (0, 0)
    assert documented["past_deadline"] > 0


@pytest.mark.parametrize(
    ("payload", "error", "written", "expected"),
    [
        (b"null", None, True, Outcome.WRITTEN),
        (b"null", None, False, Outcome.ERRORS),
        (b'{"errorType": "Sandbox.Timedout"}', "Unhandled", False, Outcome.KILLED),
        # All were written, and the answer did not come in time.
        (b'{"errorType": "Sandbox.Timedout"}', "Unhandled", True, Outcome.KILLED),
        (b'{"errorType": "Runtime.ExitError"}', "Unhandled", False, Outcome.ENDED),
    ],
)
def test_an_invocation_is_good_if_all_its_writes_were_acknowledged_in_time(
    payload: bytes, error: str | None, written: bool, expected: Outcome
) -> None:
    found = InvokeResult("", payload, error, "$LATEST", 1, 1, None, "", "")
    assert outcome(found, written=written) is expected
