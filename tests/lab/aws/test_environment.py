from __future__ import annotations

import asyncio
import json
import signal
from typing import TYPE_CHECKING

import pytest

from warmline.lab.aws import CgroupFreezer, Environment, Freezer, SignalFreezer, StartMode, State
from warmline.lab.aws.invocation import Invocation

if TYPE_CHECKING:
    from .conftest import Gone, OpenEnvironment, Spec, Until

HANDLER = """
    def lambda_handler(event, context):
        return event
"""

# Writes a file on SIGTERM and ends.
LEAVES_A_NOTE = """
    import os
    import extension
    from pathlib import Path

    def leave():
        Path("note").write_text("closed")
        os._exit(0)

    extension.on_sigterm(leave)
"""

REGISTERED = """
    import extension

    extension.wait_in_background(extension.register()[1])
"""

IGNORES_SIGTERM = """
    import signal

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
"""


@pytest.fixture(params=["cgroup", "signal"])
def freezer(request: pytest.FixtureRequest) -> Freezer:
    if request.param == "signal":
        return SignalFreezer()
    cgroup: CgroupFreezer = request.getfixturevalue("cgroup")
    return cgroup


def state(opened: Environment) -> State:
    """
    Where it stands; to the type checker the property itself would never change.
    """
    return opened.state


async def serve_one(opened: Environment) -> None:
    """
    Run Init and one invocation, and freeze.
    """
    assert await opened.start() is None
    assert not (await opened.invoke(Invocation(b"{}"))).error
    await opened.settle()
    assert state(opened) is State.FROZEN


def test_init_ends_when_the_runtime_waits_for_an_event(
    environment: OpenEnvironment, spec: Spec, start: StartMode, gone: Gone
) -> None:
    async def scenario() -> None:
        async with environment(spec(HANDLER, start=start)) as opened:
            assert state(opened) is State.STARTING
            assert await opened.start() is None
            assert state(opened) is State.IDLE
            assert not gone(opened.pid)

    asyncio.run(scenario())


def test_init_has_a_limit(environment: OpenEnvironment, spec: Spec, start: StartMode, gone: Gone) -> None:
    async def scenario() -> None:
        async with environment(spec("import time; time.sleep(60)", start=start)) as opened:
            failed = await opened.start(seconds=0.2)

            assert failed is not None
            assert failed.error
            assert json.loads(failed.payload)["errorType"] == "Sandbox.Timedout"
            assert state(opened) is State.RESET
            assert gone(opened.pid)

    asyncio.run(scenario())


def test_an_error_in_init_resets_the_environment(environment: OpenEnvironment, spec: Spec, gone: Gone) -> None:
    async def scenario() -> None:
        async with environment(spec("1 / 0")) as opened:
            failed = await opened.start()

            assert failed is not None
            assert json.loads(failed.payload)["errorType"] == "ZeroDivisionError"
            assert state(opened) is State.RESET
            assert gone(opened.pid)

    asyncio.run(scenario())


def test_init_only_ends_when_the_extension_waits_too(
    environment: OpenEnvironment, spec: Spec, until: Until, start: StartMode
) -> None:
    source = """
        import time
        import extension
        from pathlib import Path

        def until_told():
            while not Path("go").exists():
                time.sleep(0.005)

        extension.wait_in_background(extension.register()[1], until_told)

        def lambda_handler(event, context):
            return event
    """

    async def scenario() -> None:
        function = spec(source, start=start)
        async with environment(function) as opened:
            init = asyncio.create_task(opened.start())
            await until(lambda: opened.waiting_workers)
            await asyncio.sleep(0.05)
            assert not init.done()

            (function.code / "go").touch()

            assert await init is None
            assert list(opened._domain.api.extensions.names) == ["warmline"]

    asyncio.run(scenario())


def test_an_invocation_is_over_for_its_environment_when_the_runtime_asks_for_the_next(
    environment: OpenEnvironment, spec: Spec
) -> None:
    async def scenario() -> None:
        async with environment(spec(REGISTERED + HANDLER)) as opened:
            assert await opened.start() is None
            for _ in range(3):
                outcome = await opened.invoke(Invocation(b"1"))
                assert (outcome.payload, outcome.error) == (b"1", False)
                await opened.settle()
                assert state(opened) is State.FROZEN
                opened.thaw()
                assert state(opened) is State.IDLE

    asyncio.run(scenario())


@pytest.mark.parametrize("frozen", [True, False])
def test_with_an_extension_the_end_is_sigterm_and_time_to_clean_up(
    environment: OpenEnvironment, spec: Spec, freezer: Freezer, start: StartMode, frozen: bool
) -> None:
    async def scenario() -> None:
        function = spec(LEAVES_A_NOTE + REGISTERED + HANDLER, start=start)
        async with environment(function, freezer) as opened:
            await serve_one(opened)
            if not frozen:
                opened.thaw()

            ending = await opened.shutdown()

            assert ending.exit_code == 0
            assert ending.killed_after_ms is None
            assert (function.code / "note").read_text() == "closed"
            assert state(opened) is State.ENDED

    asyncio.run(scenario())


def test_a_process_that_stays_after_sigterm_is_killed_after_the_grace(
    environment: OpenEnvironment, spec: Spec, freezer: Freezer
) -> None:
    async def scenario() -> None:
        async with environment(spec(IGNORES_SIGTERM + REGISTERED + HANDLER), freezer) as opened:
            await serve_one(opened)

            ending = await opened.shutdown()

            assert ending.exit_code == -9
            assert ending.killed_after_ms is not None
            assert ending.milliseconds >= ending.killed_after_ms >= 500

    asyncio.run(scenario())


@pytest.mark.parametrize(("handles_it", "exit_code"), [(True, 0), (False, -signal.SIGTERM)])
def test_terminated_it_gets_sigterm_without_an_extension_too(
    environment: OpenEnvironment, spec: Spec, freezer: Freezer, handles_it: bool, exit_code: int
) -> None:
    async def scenario() -> None:
        async with environment(spec((LEAVES_A_NOTE if handles_it else "") + HANDLER), freezer) as opened:
            await serve_one(opened)

            ending = await opened.terminate()

            assert (ending.exit_code, ending.killed_after_ms) == (exit_code, None)

    asyncio.run(scenario())


def test_without_an_extension_the_end_is_sigkill_at_once(
    environment: OpenEnvironment, spec: Spec, freezer: Freezer
) -> None:
    async def scenario() -> None:
        function = spec(LEAVES_A_NOTE + HANDLER)
        async with environment(function, freezer) as opened:
            await serve_one(opened)

            ending = await opened.shutdown()

            assert ending.exit_code == -9
            assert not (function.code / "note").exists()

    asyncio.run(scenario())


def test_a_kill_is_no_shutdown(environment: OpenEnvironment, spec: Spec, freezer: Freezer) -> None:
    async def scenario() -> None:
        function = spec(LEAVES_A_NOTE + REGISTERED + HANDLER)
        async with environment(function, freezer) as opened:
            await serve_one(opened)

            ending = await opened.kill()

            assert ending.exit_code == -9
            assert not (function.code / "note").exists()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("handler", "error_type"),
    [("import time; time.sleep(60)", "Sandbox.Timedout"), ("import os; os._exit(3)", "Runtime.ExitError")],
)
def test_after_a_timeout_or_a_crash_the_environment_is_reset(
    environment: OpenEnvironment, spec: Spec, handler: str, error_type: str
) -> None:
    source = f"""
    def lambda_handler(event, context):
        {handler}
    """

    async def scenario() -> None:
        function = spec(LEAVES_A_NOTE + REGISTERED + source, timeout_seconds=0.3)
        async with environment(function) as opened:
            assert await opened.start() is None
            outcome = await opened.invoke(Invocation(b"{}"))
            assert json.loads(outcome.payload)["errorType"] == error_type

            await opened.settle()

            assert state(opened) is State.RESET
            # Who timed out gets SIGTERM as at any shutdown; who crashed is no more.
            assert (function.code / "note").exists() == (error_type == "Sandbox.Timedout")

    asyncio.run(scenario())


@pytest.mark.parametrize("end", ["kill", "crash"])
def test_what_a_handler_has_started_ends_with_its_environment(
    environment: OpenEnvironment, spec: Spec, until: Until, gone: Gone, freezer: Freezer, end: str
) -> None:
    # Only the cgroup knows processes that left the session.
    sessions = [False] if isinstance(freezer, SignalFreezer) else [False, True]
    source = f"""
        import os, subprocess

        def lambda_handler(event, context):
            if event == "crash":
                os._exit(1)
            return [
                subprocess.Popen(["sleep", "60"], start_new_session=session).pid for session in {sessions}
            ]
    """

    async def scenario() -> None:
        async with environment(spec(source), freezer) as opened:
            assert await opened.start() is None
            children = json.loads((await opened.invoke(Invocation(b"{}"))).payload)
            await opened.settle()
            assert not any(gone(child) for child in children)

            if end == "crash":
                opened.thaw()
                await opened.invoke(Invocation(b'"crash"'))
                await opened.settle()
            else:
                await opened.kill()

            await until(lambda: all(gone(child) for child in children))

    asyncio.run(scenario())


def test_the_log_has_what_the_processes_of_the_environment_write(
    environment: OpenEnvironment, spec: Spec, start: StartMode
) -> None:
    source = """
        import subprocess, sys

        def lambda_handler(event, context):
            print("printed")
            print("error", file=sys.stderr)
            subprocess.run(["echo", "child"])
    """

    async def scenario() -> None:
        async with environment(spec(source, start=start)) as opened:
            assert await opened.start() is None
            await opened.invoke(Invocation(b"{}"))
            assert opened.log.read_text() == "printed\nerror\nchild\n"

    asyncio.run(scenario())


def test_an_environment_that_died_while_it_was_frozen_is_a_crash(
    environment: OpenEnvironment, spec: Spec, freezer: Freezer
) -> None:
    async def scenario() -> None:
        async with environment(spec(HANDLER), freezer) as opened:
            await serve_one(opened)
            opened._running.signal_group(signal.SIGKILL)
            await opened._running.exited

            opened.thaw()
            outcome = await opened.invoke(Invocation(b"{}"))

            assert json.loads(outcome.payload)["errorType"] == "Runtime.ExitError"

    asyncio.run(scenario())
