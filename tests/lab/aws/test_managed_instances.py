from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from warmline.lab.aws import FunctionSpec, InvokeResult, LambdaService, StartMode, State
from warmline.lab.errors import UnusableFunction

if TYPE_CHECKING:
    from .conftest import Gone, Run, Spec, Until

MANAGED: dict[str, Any] = {"initialization": "lambda-managed-instances", "workers": 3}

# Tells which process served it; waits until the test says that it may end, if it is told a file.
WORKER = """
    import os, time
    from pathlib import Path

    def lambda_handler(event, context):
        until = event.get("until")
        while until and not Path(until).exists():
            time.sleep(0.005)
        if event.get("crash"):
            os._exit(1)
        return [os.getpid(), os.getppid()]
"""

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of the end of orphans")


def pids(result: InvokeResult) -> list[int]:
    assert result.function_error is None, result.payload
    found: list[int] = json.loads(result.payload)
    return found


def test_workers_serve_invocations_at_the_same_time_in_processes_of_their_own(
    run: Run, spec: Spec, until: Until, tmp_path: Path, start: StartMode
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WORKER, start=start, **MANAGED))
        await service.prepare("app", 1)
        go = tmp_path / "go"
        event = json.dumps({"until": str(go)}).encode()

        running = [asyncio.create_task(service.invoke("app", event)) for _ in range(3)]
        (environment,) = service.function("app").environments
        await until(lambda: len(environment._domain.api._running) == 3)
        go.touch()
        results = await asyncio.gather(*running)

        workers, parents = zip(*map(pids, results), strict=True)
        assert len(set(workers)) == 3
        assert len(set(parents)) == 1
        assert {result.environment for result in results} == {environment.name}
        assert not any(result.cold for result in results)

    run(scenario)


def test_one_more_than_there_are_workers_gets_another_environment(
    run: Run, spec: Spec, until: Until, tmp_path: Path
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WORKER, **MANAGED))
        await service.prepare("app", 1)
        go = tmp_path / "go"
        event = json.dumps({"until": str(go)}).encode()

        running = [asyncio.create_task(service.invoke("app", event)) for _ in range(4)]
        await until(lambda: len(service.function("app").environments) == 2)
        go.touch()
        results = await asyncio.gather(*running)

        assert sorted(result.cold for result in results) == [False, False, False, True]

        # The other workers of the second are there too.
        results = await asyncio.gather(*(service.invoke("app") for _ in range(6)))
        assert len(service.function("app").environments) == 2
        assert not any(result.cold for result in results)

    run(scenario)


def test_an_instance_is_never_frozen(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WORKER, **MANAGED))
        await service.prepare("app", 1)
        (environment,) = service.function("app").environments
        assert environment.state is State.IDLE
        await service.invoke("app")
        await service.settled()
        assert environment.state is State.IDLE

    run(scenario)


def test_init_ends_with_the_first_worker_that_waits(run: Run, spec: Spec) -> None:
    source = """
        import os, time

        # Whoever comes second.
        try:
            os.mkdir("first")
        except FileExistsError:
            time.sleep(60)

        def lambda_handler(event, context):
            return "served"
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source, **MANAGED))
        await service.prepare("app", 1)
        assert json.loads((await service.invoke("app")).payload) == "served"

    run(scenario)


def test_an_error_in_init_is_reported_once_and_ends_the_environment(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec("1 / 0", **MANAGED))
        result = await service.invoke("app")
        assert json.loads(result.payload)["errorType"] == "ZeroDivisionError"
        await service.settled()
        assert service.function("app").environments == []

    run(scenario)


def test_an_invocation_that_times_out_ends_for_its_caller_alone(
    run: Run, spec: Spec, until: Until, tmp_path: Path
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WORKER, timeout_seconds=0.5, **MANAGED))
        await service.prepare("app", 1)
        version = service.version("app")
        go = tmp_path / "go"

        result = await service.invoke("app", json.dumps({"until": str(go)}).encode())

        assert json.loads(result.payload)["errorType"] == "Sandbox.Timedout"
        await service.settled()
        assert len(version.free) == 2
        others = [pids(each) for each in await asyncio.gather(service.invoke("app"), service.invoke("app"))]
        assert len(version.environments) == 1

        # Its worker is free again once it has answered.
        go.touch()
        await until(lambda: len(version.free) == 3)
        assert len(pids(await service.invoke("app"))) == len(others[0])

    run(scenario)


def test_a_worker_that_crashes_is_missed_and_the_others_serve_on(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WORKER, timeout_seconds=0.5, **MANAGED))
        await service.prepare("app", 1)

        result = await service.invoke("app", b'{"crash": true}')

        assert json.loads(result.payload)["errorType"] == "Sandbox.Timedout"
        await service.settled()
        assert len(service.version("app").free) == 2
        served = {tuple(pids(await service.invoke("app"))) for _ in range(4)}
        assert 1 <= len(served) <= 2

    run(scenario)


def test_a_caller_that_goes_away_ends_nobody_else_s_invocation(
    run: Run, spec: Spec, until: Until, tmp_path: Path
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WORKER, **MANAGED))
        await service.prepare("app", 1)
        (environment,) = service.function("app").environments
        go = tmp_path / "go"
        event = json.dumps({"until": str(go)}).encode()
        leaves, stays = (asyncio.create_task(service.invoke("app", event)) for _ in range(2))
        await until(lambda: len(environment._domain.api._running) == 2)

        leaves.cancel()
        await asyncio.wait((leaves,))
        go.touch()

        assert len(pids(await stays)) == 2
        await until(lambda: len(service.version("app").free) == 3)

    run(scenario)


# What each worker does on SIGTERM: it needs as long as it may.
LEAVES = """
    import os, time
    import extension
    from pathlib import Path

    def leave():
        time.sleep(0.2)
        Path(f"left-{os.getpid()}").touch()
        os._exit(0)

    extension.on_sigterm(leave)
    status, identifier, _ = extension.register()
    if status == 200:
        extension.wait_in_background(identifier)

    Path(f"there-{os.getpid()}").touch()
"""


def those(code: Path, what: str) -> set[int]:
    return {int(path.name.partition("-")[2]) for path in code.glob(f"{what}-*")}


@only_linux
def test_every_worker_has_time_to_clean_up_though_their_parent_ends_at_once(
    run: Run, spec: Spec, start: StartMode, until: Until, gone: Gone
) -> None:
    async def scenario(service: LambdaService) -> None:
        function = spec(LEAVES + WORKER, start=start, **MANAGED)
        service.deploy(function)
        await service.prepare("app", 1)
        await until(lambda: len(those(function.code, "there")) == 3)
        (_, parent) = pids(await service.invoke("app"))

        (ending,) = await service.end("app", how="shutdown")

        assert those(function.code, "left") == those(function.code, "there")
        # The parent has no handler: 128 and SIGTERM.
        assert ending.exit_code == 143
        assert 200 <= ending.milliseconds < 600
        assert ending.killed_after_ms is None
        assert gone(parent)

    run(scenario)


@only_linux
def test_workers_that_stay_are_killed_after_six_hundred_milliseconds(
    run: Run, spec: Spec, until: Until, gone: Gone
) -> None:
    async def scenario(service: LambdaService) -> None:
        function = spec(LEAVES.replace("time.sleep(0.2)", "time.sleep(60)") + WORKER, **MANAGED)
        service.deploy(function)
        await service.prepare("app", 1)
        await until(lambda: len(those(function.code, "there")) == 3)

        (ending,) = await service.end("app", how="shutdown")

        assert 600 <= ending.milliseconds < 2000
        assert those(function.code, "left") == set()
        await until(lambda: all(gone(pid) for pid in those(function.code, "there")))

    run(scenario)


def test_a_kill_ends_all_workers(run: Run, spec: Spec, until: Until, gone: Gone) -> None:
    async def scenario(service: LambdaService) -> None:
        function = spec(LEAVES + WORKER, **MANAGED)
        service.deploy(function)
        await service.prepare("app", 1)
        await until(lambda: len(those(function.code, "there")) == 3)

        await service.end("app", how="kill")

        await until(lambda: all(gone(pid) for pid in those(function.code, "there")))
        assert those(function.code, "left") == set()

    run(scenario)


@pytest.mark.parametrize(
    ("initialization", "workers"), [("on-demand", 2), ("snap-start", 16), ("lambda-managed-instances", 0)]
)
def test_only_managed_instances_have_more_than_one_worker(initialization: Any, workers: int) -> None:
    with pytest.raises(UnusableFunction, match=f"can't have {workers} workers"):
        FunctionSpec("app", Path(), initialization=initialization, workers=workers)
