from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from warmline.lab.aws import Counters, How, InvokeResult, LambdaService, SignalFreezer, StartMode, State
from warmline.lab.errors import Throttled, UnknownFunction

if TYPE_CHECKING:
    from warmline.lab.workspace import Workspace

    from .conftest import Gone, Run, Spec, Until

ECHO = """
    def lambda_handler(event, context):
        return event
"""

# Runs until the test says that it may end.
WAITS = """
    import time
    from pathlib import Path

    def lambda_handler(event, context):
        Path(event["started"]).touch()
        while not Path(event["end"]).exists():
            time.sleep(0.005)
        return event
"""


def answer(result: InvokeResult) -> Any:
    """
    What the handler has returned.
    """
    assert result.function_error is None, result.payload
    return json.loads(result.payload)


def waiting_for(directory: Path, number: int) -> bytes:
    """
    The event that makes WAITS end with the file `end`.
    """
    return json.dumps({"started": str(directory / f"started-{number}"), "end": str(directory / "end")}).encode()


def test_an_invocation_returns_what_the_handler_returns(run: Run, spec: Spec, start: StartMode) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(ECHO, start=start))

        cold = await service.invoke("app", b'{"order": "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x99"}')
        warm = await service.invoke("app", b"[1, null]")

        assert answer(cold) == {"order": "ä € 🐙"}
        assert answer(warm) == [1, None]
        assert (cold.cold, warm.cold) == (True, False)
        assert cold.environment == warm.environment
        assert cold.request_id != warm.request_id

    run(scenario)


def test_the_context_is_about_this_invocation(run: Run, spec: Spec, start: StartMode) -> None:
    source = """
        def lambda_handler(event, context):
            return [
                context.aws_request_id,
                context.invoked_function_arn,
                context.function_name,
                context.function_version,
                context.memory_limit_in_mb,
                context.log_stream_name,
                context.client_context,
                context.get_remaining_time_in_millis(),
            ]
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source, start=start, timeout_seconds=20, memory_mb=256, version="7"))
        for _ in range(2):
            result = await service.invoke("app")

            *said, remaining = answer(result)

            arn = "arn:aws:lambda:us-east-1:123456789012:function:app"
            assert said == [result.request_id, arn, "app", "7", "256", result.environment, None]
            assert 0 < remaining <= 20_000
            assert result.executed_version == "7"

    run(scenario)


def test_a_handler_sees_lambdas_variables_and_none_of_the_machines(
    run: Run, spec: Spec, start: StartMode, monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    source = """
        import os

        INIT = dict(os.environ)

        def lambda_handler(event, context):
            return [INIT, dict(os.environ)]
    """
    monkeypatch.setenv("MONGODB_URI", "mongodb://user:made-up@production")
    monkeypatch.setenv("VIRTUAL_ENV", "/somewhere")

    async def scenario(service: LambdaService) -> None:
        function = spec(source, start=start, environment={"TABLE": "orders", "TZ": "Europe/Berlin"})
        service.deploy(function)
        result = await service.invoke("app")

        init, handler = answer(result)

        expected = {
            "AWS_ACCESS_KEY_ID": "ASIAWARMLINELAB00000",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_NAME": "app",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/app",
            "AWS_LAMBDA_LOG_STREAM_NAME": result.environment,
            "AWS_REGION": "us-east-1",
            "AWS_SECRET_ACCESS_KEY": "lab",
            "AWS_SESSION_TOKEN": "lab",
            "LAMBDA_TASK_ROOT": str(function.code),
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TABLE": "orders",
            "TZ": "Europe/Berlin",
            "_HANDLER": "app.lambda_handler",
            **workspace.environ(),
        }
        for variables in (init, handler):
            # The interpreter's own doing where the machine does not have Lambda's locale.
            variables.pop("LC_CTYPE", None)
        assert init.pop("AWS_LAMBDA_RUNTIME_API").startswith("127.0.0.1:")
        assert init == expected
        assert handler.pop("_X_AMZN_TRACE_ID").startswith("Root=1-")
        assert handler.pop("AWS_LAMBDA_RUNTIME_API")
        assert handler == expected

    run(scenario)


def test_local_time_is_utc_whatever_it_is_on_the_machine(
    run: Run, spec: Spec, start: StartMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
        import time

        def lambda_handler(event, context):
            return [time.timezone, time.tzname, time.localtime(0).tm_hour]
    """
    monkeypatch.setenv("TZ", "XXX-5")

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source, start=start))

        assert answer(await service.invoke("app")) == [0, ["UTC", "UTC"], 0]

    run(scenario)


def test_an_environment_may_open_as_many_files_as_on_lambda(run: Run, spec: Spec, start: StartMode) -> None:
    source = """
        import resource

        def lambda_handler(event, context):
            return resource.getrlimit(resource.RLIMIT_NOFILE)
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source, start=start))

        assert answer(await service.invoke("app")) == [1024, 1024]

    run(scenario)


def test_the_handlers_folder_comes_first_on_the_path_and_is_its_working_directory(
    run: Run, spec: Spec, start: StartMode
) -> None:
    source = """
        import os
        import extension  # next to this module

        def lambda_handler(event, context):
            return [os.getcwd(), extension.__file__]
    """

    async def scenario(service: LambdaService) -> None:
        function = spec(source, start=start)
        service.deploy(function)

        assert answer(await service.invoke("app")) == [str(function.code), str(function.code / "extension.py")]

    run(scenario)


def test_one_environment_runs_one_invocation_at_a_time(
    run: Run, spec: Spec, until: Until, tmp_path: Path, start: StartMode
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WAITS, start=start))
        calls = [asyncio.create_task(service.invoke("app", waiting_for(tmp_path, number))) for number in range(3)]
        await until(lambda: len(list(tmp_path.glob("started-*"))) == 3)

        assert {environment.state for environment in service.environments()} == {State.BUSY}

        (tmp_path / "end").touch()
        results = await asyncio.gather(*calls)
        assert len({result.environment for result in results}) == 3
        assert [json.loads(result.payload) for result in results] == [
            json.loads(waiting_for(tmp_path, number)) for number in range(3)
        ]

    run(scenario)


def test_invocations_one_after_the_other_share_an_environment(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(ECHO))

        results = [await service.invoke("app") for _ in range(10)]

        assert len({result.environment for result in results}) == 1
        assert [result.cold for result in results] == [True] + [False] * 9

    run(scenario)


def test_the_most_recently_used_environment_is_taken_first(run: Run, spec: Spec, until: Until, tmp_path: Path) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WAITS))
        ends = [tmp_path / f"end-{number}" for number in range(3)]
        events = [{"started": str(tmp_path / f"started-{number}"), "end": str(end)} for number, end in enumerate(ends)]
        calls = [asyncio.create_task(service.invoke("app", json.dumps(event).encode())) for event in events]
        await until(lambda: len(list(tmp_path.glob("started-*"))) == 3)
        last = ""
        for number in (1, 2, 0):
            ends[number].touch()
            last = (await calls[number]).environment
            await service.settled()

        for _ in range(3):
            assert (await service.invoke("app", json.dumps(events[0]).encode())).environment == last

    run(scenario)


def test_more_concurrent_invocations_than_may_run_wait_for_their_turn(
    run: Run, spec: Spec, workspace: Workspace
) -> None:
    async def scenario(_: LambdaService) -> None:
        async with LambdaService(workspace, runnable=1) as service:
            service.deploy(spec(ECHO))

            results = await asyncio.gather(*(service.invoke("app") for _ in range(4)))

            assert len({result.environment for result in results}) == 4

    run(scenario)


def test_reserved_concurrency_throttles(run: Run, spec: Spec, until: Until, tmp_path: Path) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WAITS, reserved_concurrency=2))
        calls = [asyncio.create_task(service.invoke("app", waiting_for(tmp_path, number))) for number in range(2)]
        await until(lambda: len(list(tmp_path.glob("started-*"))) == 2)

        with pytest.raises(Throttled, match="2 invocations of app are running already"):
            await service.invoke("app")

        (tmp_path / "end").touch()
        await asyncio.gather(*calls)
        assert len(list(service.environments())) == 2
        assert answer(await service.invoke("app", waiting_for(tmp_path, 0)))

    run(scenario)


def test_live_environments_are_counted_by_state(run: Run, spec: Spec, until: Until, tmp_path: Path) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WAITS))
        assert set(service.states().values()) == {0}
        calls = [asyncio.create_task(service.invoke("app", waiting_for(tmp_path, number))) for number in range(2)]
        await until(lambda: len(list(tmp_path.glob("started-*"))) == 2)

        assert service.states()[State.BUSY] == sum(service.states().values()) == 2

        (tmp_path / "end").touch()
        await asyncio.gather(*calls)
        await service.settled()
        assert service.states()[State.FROZEN] == sum(service.states().values()) == 2
        await service.end("app", how="shutdown")
        assert set(service.states().values()) == {0}

    run(scenario)


def test_invocations_errors_throttles_and_cold_starts_are_counted(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec("def lambda_handler(event, context): return 1 / event", reserved_concurrency=1))
        await service.invoke("app", b"1")
        await service.invoke("app", b"0")
        _, throttled = await asyncio.gather(
            service.invoke("app", b"1"), service.invoke("app", b"1"), return_exceptions=True
        )

        assert isinstance(throttled, Throttled)
        assert service.counters == Counters(invocations=3, errors=1, throttles=1, cold_starts=1)

    run(scenario)


def test_a_reserved_concurrency_of_one_never_throttles_a_caller_who_waits_for_each_answer(run: Run, spec: Spec) -> None:
    source = """
        def lambda_handler(event, context):
            if event == "exit":
                raise SystemExit(1)
            return event
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source, reserved_concurrency=1))
        for event in [b"1", b'"exit"', b"2"] * 5:
            await service.invoke("app", event)
        assert service.function("app").in_flight == 0

    run(scenario)


def test_a_function_that_is_not_deployed_is_unknown(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        with pytest.raises(UnknownFunction, match="no function 'orders' is deployed: none is"):
            await service.invoke("orders")
        service.deploy(spec(ECHO))
        with pytest.raises(UnknownFunction, match="no function 'orders' is deployed: app"):
            await service.invoke("orders")

    run(scenario)


def test_an_answer_brings_what_was_printed_meanwhile(run: Run, spec: Spec, start: StartMode) -> None:
    source = """
        print("init")

        def lambda_handler(event, context):
            print(f"event {event} ä")
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source, start=start))

        assert (await service.invoke("app", b"1")).log_tail == "init\nevent 1 ä\n"
        assert (await service.invoke("app", b"2")).log_tail == "event 2 ä\n"

    run(scenario)


@pytest.mark.parametrize(("how", "exit_code"), [("shutdown", -9), ("terminate", -15), ("kill", -9)])
def test_after_the_end_of_a_function_the_next_invocation_starts_anew(
    run: Run, spec: Spec, gone: Gone, how: How, exit_code: int
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(ECHO))
        await asyncio.gather(service.invoke("app"), service.invoke("app"))
        pids = [environment.pid for environment in service.environments()]
        assert len(pids) == 2

        endings = await service.end("app", how=how)

        assert [ending.exit_code for ending in endings] == [exit_code, exit_code]
        assert all(gone(pid) for pid in pids)
        assert list(service.environments()) == []
        assert (await service.invoke("app")).cold

    run(scenario)


def test_an_invocation_whose_function_is_ended_meanwhile_learns_it(
    run: Run, spec: Spec, until: Until, tmp_path: Path
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WAITS))
        call = asyncio.create_task(service.invoke("app", waiting_for(tmp_path, 0)))
        await until((tmp_path / "started-0").exists)

        await service.end("app", how="kill")

        assert json.loads((await call).payload)["errorType"] == "Runtime.ExitError"
        await service.settled()
        (tmp_path / "end").touch()
        assert (await service.invoke("app", waiting_for(tmp_path, 1))).cold

    run(scenario)


def test_an_init_whose_function_is_ended_meanwhile_learns_it(
    run: Run, spec: Spec, until: Until, tmp_path: Path
) -> None:
    source = f"""
        import time
        from pathlib import Path

        Path("{tmp_path}/importing").touch()
        time.sleep(30)
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source))
        call = asyncio.create_task(service.invoke("app"))
        await until((tmp_path / "importing").exists)

        await service.end("app", how="kill")

        result = await call
        assert json.loads(result.payload) == {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {result.request_id} Error: Runtime exited with error: signal: killed",
        }

    run(scenario)


def test_a_cancelled_invocation_takes_its_environment_with_it(
    run: Run, spec: Spec, until: Until, tmp_path: Path
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WAITS, reserved_concurrency=1))
        call = asyncio.create_task(service.invoke("app", waiting_for(tmp_path, 0)))
        await until((tmp_path / "started-0").exists)
        (environment,) = service.environments()

        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

        assert environment.state is State.ENDED
        assert list(service.environments()) == []
        (tmp_path / "end").touch()
        assert (await service.invoke("app", waiting_for(tmp_path, 1))).cold

    run(scenario)


def test_an_invocation_that_is_cancelled_while_it_waits_for_its_turn_leaves_the_environment_to_the_next(
    run: Run, spec: Spec, until: Until, tmp_path: Path, workspace: Workspace
) -> None:
    async def scenario(_: LambdaService) -> None:
        async with LambdaService(workspace, runnable=1) as service:
            service.deploy(spec(WAITS, name="slow"))
            service.deploy(spec(ECHO))
            before = await service.invoke("app")
            await service.settled()
            slow = asyncio.create_task(service.invoke("slow", waiting_for(tmp_path, 0)))
            await until((tmp_path / "started-0").exists)
            waiting = asyncio.create_task(service.invoke("app"))
            await asyncio.sleep(0)

            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

            (tmp_path / "end").touch()
            await slow
            assert (await service.invoke("app")).environment == before.environment

    run(scenario)


def test_an_invocation_that_is_cancelled_while_its_environment_settles_lets_it_settle(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(ECHO))
        first = await service.invoke("app")
        # It has answered, but is not frozen yet: the loop did not get to it.
        waiting = asyncio.create_task(service.invoke("app"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await service.settled()

        (environment,) = service.environments()
        assert environment.state is State.FROZEN
        assert (await service.invoke("app")).environment == first.environment

    run(scenario)


def test_two_services_can_share_a_workspace(run: Run, spec: Spec, workspace: Workspace) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(ECHO))
        async with LambdaService(workspace) as other:
            other.deploy(spec(ECHO))

            first, second = await asyncio.gather(service.invoke("app"), other.invoke("app"))

            assert first.environment != second.environment
            assert type(service.freezer) is type(other.freezer)

    run(scenario)


def test_every_environment_has_ended_after_the_service(spec: Spec, gone: Gone, workspace: Workspace) -> None:
    async def scenario() -> list[int]:
        async with LambdaService(workspace, freezer=SignalFreezer()) as service:
            service.deploy(spec(ECHO, name="one"))
            service.deploy(spec(ECHO, name="two", start="exec"))
            await asyncio.gather(*(service.invoke(name) for name in ("one", "two", "one", "two")))
            return [environment.pid for environment in service.environments()]

    pids = asyncio.run(scenario())

    assert len(pids) == 4
    assert all(gone(pid) for pid in pids)
