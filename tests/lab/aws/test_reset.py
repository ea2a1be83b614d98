"""
What a failure leaves of an environment: it stays, and its next invocation begins with Init.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from warmline.lab.aws import Environment, FunctionSpec, InvokeResult, LambdaService, State, limits
from warmline.lab.aws.invocation import Invocation
from warmline.lab.aws.limits import init_seconds
from warmline.lab.errors import InitFailed

if TYPE_CHECKING:
    from .conftest import Gone, OpenEnvironment, Run, Spec

# Keeps a record of every Init.
COUNTED = """
    import os, time
    from pathlib import Path

    with Path("inits").open("a") as file:
        file.write(f"{os.getpid()}\\n")
    number = len(Path("inits").read_text().splitlines())
"""

HANDLER = """
    def lambda_handler(event, context):
        if event == "crash":
            os._exit(1)
        if event == "hang":
            time.sleep(60)
        return [os.getpid(), context.get_remaining_time_in_millis()]
"""


def inits(function: FunctionSpec) -> list[int]:
    return [int(line) for line in (function.code / "inits").read_text().splitlines()]


def error(result: InvokeResult) -> Any:
    assert result.function_error == "Unhandled", result.payload
    return json.loads(result.payload)["errorType"]


def state(opened: Environment) -> State:
    return opened.state


def test_an_init_that_takes_too_long_is_repeated_within_the_invocation(
    run: Run, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "INIT_SECONDS", 0.5)

    async def scenario(service: LambdaService) -> None:
        function = spec(COUNTED + "    time.sleep(60 if number == 1 else 0.3)" + HANDLER, timeout_seconds=20)
        service.deploy(function)

        result = await service.invoke("app")

        assert result.function_error is None, result.payload
        pid, left_ms = json.loads(result.payload)
        assert inits(function)[1:] == [pid]
        # The second Init has the function's timeout, not its own.
        assert left_ms < 19_750
        assert result.init_ms is not None
        assert result.init_ms >= 500
        assert result.duration_ms >= 300
        warm = await service.invoke("app")
        assert (warm.environment, warm.cold, json.loads(warm.payload)[0]) == (result.environment, False, pid)

    run(scenario)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("    raise LookupError", "LookupError"),
        ("    os._exit(4)", "Runtime.ExitError"),
        ("    time.sleep(60)", "Sandbox.Timedout"),
    ],
)
def test_an_init_that_fails_again_is_what_the_caller_gets(
    run: Run, spec: Spec, monkeypatch: pytest.MonkeyPatch, gone: Gone, source: str, kind: str
) -> None:
    monkeypatch.setattr(limits, "INIT_SECONDS", 1.0)

    async def scenario(service: LambdaService) -> None:
        function = spec(COUNTED + source + HANDLER, timeout_seconds=1.0)
        service.deploy(function)

        first = await service.invoke("app")

        assert error(first) == kind
        assert first.cold
        if kind == "Sandbox.Timedout":
            message = f"RequestId: {first.request_id} Error: Task timed out after 1.00 seconds"
            assert json.loads(first.payload)["errorMessage"] == message
        assert len(inits(function)) == 2

        # From then on there is one within each invocation.
        second = await service.invoke("app")
        assert error(second) == kind
        assert (second.environment, second.cold) == (first.environment, False)
        assert len(inits(function)) == 3
        await service.settled()
        assert all(map(gone, inits(function)))
        assert service.states()[State.RESET] == 1

    run(scenario)


@pytest.mark.parametrize("event", ["hang", "crash"])
def test_after_a_failed_invocation_the_next_begins_with_init(run: Run, spec: Spec, event: str) -> None:
    async def scenario(service: LambdaService) -> None:
        function = spec(COUNTED + "    time.sleep(0.3)" + HANDLER, timeout_seconds=2.0)
        service.deploy(function)
        cold = await service.invoke("app")
        assert cold.duration_ms < 300

        failed = await service.invoke("app", json.dumps(event).encode())

        assert error(failed) == ("Sandbox.Timedout" if event == "hang" else "Runtime.ExitError")
        after = await service.invoke("app")
        pid, left_ms = json.loads(after.payload)
        assert (after.environment, after.cold) == (cold.environment, False)
        assert after.duration_ms >= 300
        assert left_ms <= 1_700
        assert inits(function)[1:] == [pid]

    run(scenario)


def test_an_init_that_needs_more_than_the_timeout_never_comes_back_after_a_failure(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(COUNTED + "    time.sleep(1.2)" + HANDLER, timeout_seconds=1.0))
        assert (await service.invoke("app")).function_error is None
        assert error(await service.invoke("app", b'"crash"')) == "Runtime.ExitError"
        for _ in range(2):
            assert error(await service.invoke("app")) == "Sandbox.Timedout"

    run(scenario)


def test_a_runtime_that_does_not_ask_for_the_next_event_is_reset(environment: OpenEnvironment, spec: Spec) -> None:
    source = """
        import http.client, os, time

        def lambda_handler(event, context):
            connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
            connection.request("POST", f"/2018-06-01/runtime/invocation/{context.aws_request_id}/response", "1")
            connection.getresponse()
            time.sleep(60)
    """

    async def scenario() -> None:
        async with environment(spec(source, timeout_seconds=0.5)) as opened:
            assert await opened.start() is None
            assert (await opened.invoke(Invocation(b"{}"))).payload == b"1"
            await opened.settle()
            assert state(opened) is State.RESET

    asyncio.run(scenario())


def test_a_version_whose_init_fails_is_not_published(run: Run, spec: Spec, gone: Gone) -> None:
    async def scenario(service: LambdaService) -> None:
        function = spec(COUNTED + "    1 / 0" + HANDLER)
        service.deploy(function)
        with pytest.raises(InitFailed, match="ZeroDivisionError"):
            await service.prepare("app", 2)
        assert list(service.environments()) == []
        assert all(map(gone, inits(function)))

    run(scenario)


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({}, 10),
        ({"initialization": "snap-start"}, 130),
        ({"initialization": "provisioned-concurrency", "timeout_seconds": 900}, 900),
    ],
)
def test_init_has_more_time_where_no_invocation_waits_for_it(fields: dict[str, Any], seconds: float) -> None:
    assert init_seconds(FunctionSpec("app", Path(), **fields)) == seconds
