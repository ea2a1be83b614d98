from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from warmline.lab.aws import Environment, InvokeEndpoint, LambdaService, StartMode, State, limits
from warmline.lab.aws.invocation import Invocation
from warmline.lab.errors import InitFailed

if TYPE_CHECKING:
    from .conftest import Client, Gone, OpenEnvironment, Run, Spec

# Tells in which order things happened, and when by the wall clock.
HOOKS = """
    import os, time
    from snapshot_restore_py import register_after_restore, register_before_snapshot

    happened = [["init", time.time()]]

    def note(what):
        happened.append([what, time.time()])

    register_before_snapshot(note, "before one")
    register_before_snapshot(note, "before two")
    register_after_restore(note, "after one")
    register_after_restore(note, "after two")

    def lambda_handler(event, context):
        return happened
"""


def ended(opened: Environment) -> bool:
    return opened.state is State.ENDED


def test_the_hooks_run_before_the_snapshot_and_after_the_restore(
    environment: OpenEnvironment, spec: Spec, start: StartMode
) -> None:
    async def scenario() -> None:
        async with environment(spec(HOOKS, start=start, initialization="snap-start")) as opened:
            assert await opened.start() is None
            assert opened.state is State.SNAPSHOT
            await asyncio.sleep(0.3)
            assert await opened.restore() is None

            happened = json.loads((await opened.invoke(Invocation(b"{}"))).payload)

            assert [what for what, _ in happened] == ["init", "before two", "before one", "after one", "after two"]
            assert happened[3][1] - happened[2][1] >= 0.3
            await opened.settle()
            assert opened.state is State.FROZEN  # type: ignore[comparison-overlap]  # it has changed meanwhile

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("hook", "exit_code"), [("register_before_snapshot", 64), ("register_after_restore", 65)], ids=["before", "after"]
)
def test_a_hook_that_fails_ends_the_environment_with_its_error(
    environment: OpenEnvironment, spec: Spec, start: StartMode, hook: str, exit_code: int
) -> None:
    source = f"""
        import snapshot_restore_py

        def fail():
            raise LookupError("no such order")

        snapshot_restore_py.{hook}(fail)

        def lambda_handler(event, context): ...
    """

    async def scenario() -> None:
        async with environment(spec(source, start=start, initialization="snap-start")) as opened:
            failed = await opened.start()
            if hook == "register_after_restore":
                assert failed is None
                failed = await opened.restore()

            assert failed is not None
            error = json.loads(failed.payload)
            assert (error["errorType"], error["errorMessage"]) == ("LookupError", "no such order")
            assert ended(opened)
            assert opened._running.exited.result() == exit_code

    asyncio.run(scenario())


def test_the_restore_has_a_limit(environment: OpenEnvironment, spec: Spec, gone: Gone) -> None:
    source = """
        import time
        from snapshot_restore_py import register_after_restore

        register_after_restore(time.sleep, 60)

        def lambda_handler(event, context): ...
    """

    async def scenario() -> None:
        async with environment(spec(source, initialization="snap-start")) as opened:
            assert await opened.start() is None

            failed = await opened.restore(seconds=0.2)

            assert failed is not None
            assert json.loads(failed.payload) == {
                "errorType": "Sandbox.Timedout",
                "errorMessage": "Restore took over 0.2 seconds",
            }
            assert gone(opened.pid)

    asyncio.run(scenario())


def test_a_snapshot_stands_still(environment: OpenEnvironment, spec: Spec) -> None:
    source = """
        import threading, time

        ticks = []

        def tick():
            while True:
                ticks.append(time.time())
                time.sleep(0.01)

        threading.Thread(target=tick, daemon=True).start()

        def lambda_handler(event, context):
            return max(later - earlier for earlier, later in zip(ticks, ticks[1:]))
    """

    async def scenario() -> None:
        async with environment(spec(source, initialization="snap-start")) as opened:
            assert await opened.start() is None
            await asyncio.sleep(0.5)
            assert await opened.restore() is None
            assert json.loads((await opened.invoke(Invocation(b"{}"))).payload) >= 0.4

    asyncio.run(scenario())


def test_there_are_no_keys_among_the_variables(run: Run, spec: Spec) -> None:
    source = """
        import os

        def lambda_handler(event, context):
            return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    """

    async def scenario(service: LambdaService) -> None:
        for initialization in ("on-demand", "snap-start", "lambda-managed-instances"):
            service.deploy(spec(source, name=initialization, initialization=initialization))
            variables = json.loads((await service.invoke(initialization)).payload)

            assert variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == initialization
            keys = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
            assert keys & variables.keys() == (set() if initialization == "snap-start" else keys)

    run(scenario)


def test_each_snapshot_becomes_one_environment_and_what_it_took_is_the_restore(run: Run, spec: Spec) -> None:
    source = """
        import os, time

        time.sleep(0.4)

        def lambda_handler(event, context):
            time.sleep(0.1)
            return os.getpid()
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source, initialization="snap-start"))
        await service.prepare("app", 2)
        snapshots = service.function("app").environments
        assert [snapshot.state for snapshot in snapshots] == [State.SNAPSHOT, State.SNAPSHOT]

        first = await asyncio.gather(service.invoke("app"), service.invoke("app"))
        await service.settled()
        again = await service.invoke("app")

        assert {int(result.payload) for result in first} == {snapshot.pid for snapshot in snapshots}
        assert all(result.cold and result.init_ms is not None and result.init_ms < 300 for result in first)
        assert not again.cold
        assert len(service.function("app").environments) == 2

    run(scenario)


def test_without_a_snapshot_the_first_invocation_takes_one(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(HOOKS, initialization="snap-start"))
        result = await service.invoke("app")
        assert len(json.loads(result.payload)) == 5
        assert result.cold

    run(scenario)


@pytest.mark.parametrize(
    ("hook", "status", "code"),
    [("lambda: 1 / 0", 400, "SnapStartException"), ("time.sleep, 60", 408, "SnapStartTimeoutException")],
)
def test_lambdas_api_has_errors_of_its_own_for_a_restore_that_fails(
    run: Run, spec: Spec, client: Client, monkeypatch: pytest.MonkeyPatch, hook: str, status: int, code: str
) -> None:
    source = f"""
        import time
        from snapshot_restore_py import register_after_restore

        register_after_restore({hook})

        def lambda_handler(event, context): ...
    """
    if status == 408:
        monkeypatch.setattr(limits, "RESTORE_SECONDS", 0.5)

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source, initialization="snap-start"))
        await service.prepare("app", 1)
        async with InvokeEndpoint(service) as endpoint:
            with pytest.raises(ClientError) as caught:
                await asyncio.to_thread(client(endpoint).invoke, FunctionName="app")
        answer = caught.value.response
        assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, code)
        assert answer["Error"]["Message"]

    run(scenario)


def test_a_restore_that_fails_is_the_invocation_s_error(run: Run, spec: Spec) -> None:
    source = """
        from snapshot_restore_py import register_after_restore

        register_after_restore(lambda: 1 / 0)

        def lambda_handler(event, context): ...
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source, initialization="snap-start"))
        await service.prepare("app", 1)

        result = await service.invoke("app")

        assert result.function_error == "Unhandled"
        assert json.loads(result.payload)["errorType"] == "ZeroDivisionError"
        await service.settled()
        assert service.function("app").environments == []

    run(scenario)


def test_an_init_that_fails_is_known_before_anybody_invokes(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec("1 / 0", initialization="snap-start"))
        with pytest.raises(InitFailed, match=r"Init of app failed: .*ZeroDivisionError"):
            await service.prepare("app", 2)
        assert service.function("app").environments == []

    run(scenario)


def test_a_snapshot_ends_without_being_told(run: Run, spec: Spec) -> None:
    source = """
        import os
        import extension
        from pathlib import Path

        def leave():
            Path("note").write_text("told")
            os._exit(0)

        extension.on_sigterm(leave)
        extension.wait_in_background(extension.register()[1])

        def lambda_handler(event, context): ...
    """

    async def scenario(service: LambdaService) -> None:
        function = spec(source, initialization="snap-start")
        service.deploy(function)
        await service.prepare("app", 1)

        (ending,) = await service.end("app", how="shutdown")

        assert ending.exit_code == -9
        assert not (function.code / "note").exists()

    run(scenario)
