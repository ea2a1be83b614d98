from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from warmline.lab.aws import LambdaService

    from .conftest import Gone, Run, Spec, Until

# Leaves a file when it is told of its end: by a thread, since the main one may not be woken right after a thaw.
ENDS = """
    import os
    import signal
    import threading
    from pathlib import Path

    import extension

    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    signal.set_wakeup_fd(writes)
    signal.signal(signal.SIGTERM, lambda *_: None)

    def end():
        os.read(reads, 1)
        Path("ended").touch()
        os._exit(0)

    threading.Thread(target=end, daemon=True).start()
    extension.wait_in_background(extension.register()[1])

    def lambda_handler(event, context):
        return event
"""

ECHO = """
    def lambda_handler(event, context):
        return event
"""


def test_an_environment_with_nothing_to_do_is_shut_down(run: Run, spec: Spec, until: Until, gone: Gone) -> None:
    async def scenario(service: LambdaService) -> None:
        function = spec(ENDS, idle_seconds=0.1)
        service.deploy(function)
        await service.invoke("app")
        (environment,) = service.environments()

        await until(lambda: not list(service.environments()))

        assert gone(environment.pid)
        assert (function.code / "ended").exists()
        assert (await service.invoke("app")).cold

    run(scenario)


def test_an_environment_that_is_used_again_in_time_stays(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(ECHO, idle_seconds=1.0))
        results = []
        for _ in range(6):
            results.append(await service.invoke("app"))
            await asyncio.sleep(0.3)

        assert [result.cold for result in results] == [True] + [False] * 5

    run(scenario)


def test_without_a_limit_an_environment_stays(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(ECHO))
        await service.invoke("app")
        await asyncio.sleep(0.3)

        assert (await service.invoke("app")).cold is False

    run(scenario)


def test_provisioned_environments_stay_however_long_they_have_nothing_to_do(
    run: Run, spec: Spec, until: Until, tmp_path: Path
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(ECHO, provisioned_concurrency=1, idle_seconds=0.05))
        await service.provisioned("app")
        await asyncio.gather(service.invoke("app"), service.invoke("app"))
        await service.settled()

        await until(lambda: len(list(service.environments())) == 1)
        await asyncio.sleep(0.2)
        assert (await service.invoke("app")).cold is False

    run(scenario)


def test_a_managed_instance_is_shut_down_when_none_of_its_workers_has_anything_to_do(
    run: Run, spec: Spec, until: Until
) -> None:
    source = """
        import time

        def lambda_handler(event, context):
            time.sleep(event)
            return event
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source, initialization="lambda-managed-instances", workers=2, idle_seconds=0.2))
        long = asyncio.create_task(service.invoke("app", b"1.0"))
        await until(lambda: service.version("app").free)
        await service.invoke("app", b"0")

        # For longer than it may have nothing to do, one of its workers had.
        assert (await long).payload == b"1.0"
        await until(lambda: not list(service.environments()))

    run(scenario)


def test_a_service_can_end_while_it_shuts_environments_down(run: Run, spec: Spec, gone: Gone) -> None:
    pids: list[int] = []

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(ENDS, idle_seconds=0.01))
        await asyncio.gather(*(service.invoke("app") for _ in range(3)))
        await service.settled()
        pids.extend(environment.pid for environment in service.environments())
        await asyncio.sleep(0.01)

    run(scenario)

    assert all(gone(pid) for pid in pids)
