from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from warmline.lab.aws import FunctionSpec, InvokeResult, LambdaService
from warmline.lab.errors import Throttled, UnknownFunction
from warmline.lab.load import Call, Load, drive, parse_load
from warmline.lab.workspace import Workspace


def result(payload: bytes = b"{}", *, failed: bool = False) -> InvokeResult:
    return InvokeResult("id", payload, "Unhandled" if failed else None, "$LATEST", 5.0, 4.0, None, "app-1", "")


class Slow:
    """
    Answers after a time, and notes what it was asked at once.
    """

    def __init__(self, seconds: float, answer: Callable[[bytes], InvokeResult] = lambda _: result()) -> None:
        self.seconds = seconds
        self.answer = answer
        self.running = self.most = 0
        self.payloads: list[bytes] = []

    async def invoke(self, name: str, payload: bytes) -> InvokeResult:
        self.running += 1
        self.most = max(self.most, self.running)
        self.payloads.append(payload)
        await asyncio.sleep(self.seconds)
        self.running -= 1
        return self.answer(payload)


def calls_of(target: Slow, *loads: Load | str, payload: bytes = b"{}") -> list[Call]:
    given = [parse_load(load) if isinstance(load, str) else load for load in loads]
    return asyncio.run(drive(target, "app", given, payload=payload))


def test_an_invocation_starts_at_its_time_whether_the_others_have_ended_or_not() -> None:
    target = Slow(0.5)
    calls = calls_of(target, "constant:50/s for 200ms")
    assert target.most == 10
    assert [call.due for call in calls] == pytest.approx([number / 50 for number in range(10)])
    assert all(call.started >= call.due and call.ended >= call.started + 0.5 for call in calls)


def test_a_caller_of_a_closed_loop_waits_for_the_answer() -> None:
    target = Slow(0.05)
    calls = calls_of(target, "callers:3 for 200ms")
    assert target.most == 3
    # Four rounds if nothing is late, and the first in any case.
    assert 3 <= len(calls) <= 15
    assert all(call.late_seconds == 0 for call in calls)


def test_loads_run_at_the_same_time_each_from_its_beginning() -> None:
    calls = calls_of(Slow(0), "burst:3 at 100ms", "constant:20/s for 200ms")
    assert sorted(call.due for call in calls) == pytest.approx([0.0, 0.05, 0.1, 0.1, 0.1, 0.1, 0.15])


def test_a_recordings_payloads_are_given_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "arrivals.csv").write_text("0,1\n0.01,2\n0.02,3\n")
    target = Slow(0)
    calls_of(target, parse_load("csv:arrivals.csv", tmp_path), "burst:1 at 50ms", payload=b"9")
    assert target.payloads == [b"1", b"2", b"3", b"9"]


def test_a_driver_that_is_behind_says_so() -> None:
    class Blocking(Slow):
        async def invoke(self, name: str, payload: bytes) -> InvokeResult:
            import time

            time.sleep(0.02)  # noqa: ASYNC251  the event loop's time is what is taken
            return result()

    calls = calls_of(Blocking(0), "burst:10")
    assert max(call.late_seconds for call in calls) >= 0.15


def test_errors_and_throttles_are_counted_and_do_not_stop_the_load() -> None:
    def answer(payload: bytes) -> InvokeResult:
        if target.payloads.count(payload) == 2:
            raise Throttled("too many", "ReservedFunctionConcurrentInvocationLimitExceeded")
        document = {"errorType": "AutoReconnect", "errorMessage": "connection\nclosed"}
        return result(json.dumps(document).encode(), failed=True)

    target = Slow(0, answer)
    calls = calls_of(target, "constant:100/s for 30ms")
    assert [call.outcome for call in calls] == ["failed", "throttled", "failed"]
    assert calls[0].error == "AutoReconnect: connection closed"


@pytest.mark.parametrize("payload", [b"plain text", b"[1]", b'"text"', b"\xff"])
def test_an_error_without_a_document_is_told_as_it_is(payload: bytes) -> None:
    (call,) = calls_of(Slow(0, lambda _: result(payload, failed=True)), "burst:1")
    assert call.error == payload.decode(errors="replace")


def test_another_error_ends_the_load_as_it_is() -> None:
    def answer(_: bytes) -> InvokeResult:
        raise UnknownFunction("no function 'app' is deployed")

    target = Slow(0.01, answer)
    with pytest.raises(UnknownFunction, match="no function 'app' is deployed"):
        calls_of(target, "constant:20/s for 60s")


def test_the_labs_service_is_a_target(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def lambda_handler(event, context):\n    return 1 / event\n")

    async def run() -> list[Call]:
        with Workspace() as workspace:
            async with LambdaService(workspace) as service:
                service.deploy(FunctionSpec("app", tmp_path, reserved_concurrency=1))
                first = await drive(service, "app", [parse_load("burst:2")], payload=b"1")
                return first + await drive(service, "app", [parse_load("burst:1")], payload=b"0")

    throttled, answered, failed = asyncio.run(run())
    assert (throttled.outcome, answered.outcome, failed.outcome) == ("throttled", "answered", "failed")
    assert answered.init_ms is not None
    assert failed.init_ms is None
    assert failed.environment == answered.environment
    assert failed.error == "ZeroDivisionError: division by zero"
