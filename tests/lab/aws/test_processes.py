from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from warmline.lab.aws import LambdaService, processes
from warmline.lab.aws.processes import EnvironmentProcess, Spawner
from warmline.lab.errors import EnvironmentStartError

if TYPE_CHECKING:
    from warmline.lab.workspace import Workspace

    from .conftest import Gone, Run, Spec, Until

SLEEPS = "import time; time.sleep(60)"
ENDED = "the process that starts the environments has ended"


async def spawn(
    spawner: Spawner,
    directory: Path,
    program: str | None = None,
    *,
    argv: list[str] | None = None,
    cwd: Path | None = None,
    cgroup: Path | None = None,
) -> EnvironmentProcess:
    """
    Start a Python program, or what `argv` says.
    """
    return await spawner.spawn(
        argv=argv or [sys.executable, "-c", program or SLEEPS],
        handler="",
        env={},
        cwd=cwd or directory,
        log=directory / "log",
        cgroups=[cgroup] if cgroup else (),
    )


def test_a_process_is_the_leader_of_its_own_session(workspace: Workspace, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Spawner(workspace.environ()) as spawner:
            process = await spawn(spawner, tmp_path, "import os; print(os.getpid(), os.getsid(0), os.getpgid(0))")
            assert await process.exited == 0
        assert (tmp_path / "log").read_text() == f"{process.pid} {process.pid} {process.pid}\n"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("", 0),
        ("raise SystemExit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", -9),
        ("import os; os.kill(os.getpid(), 15)", -15),
    ],
)
def test_the_end_of_a_process_is_told_with_its_exit_code(
    workspace: Workspace, tmp_path: Path, program: str, expected: int
) -> None:
    async def scenario() -> None:
        async with Spawner(workspace.environ()) as spawner:
            process = await spawn(spawner, tmp_path, program or "pass")
            assert await process.exited == expected
            # It has ended: nobody is signalled.
            process.signal_group(signal.SIGKILL)

    asyncio.run(scenario())


def test_many_processes_start_at_once(workspace: Workspace, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Spawner(workspace.environ()) as spawner:
            true = ["/bin/sh", "-c", "exit 0"]
            started = await asyncio.gather(*(spawn(spawner, tmp_path, argv=true) for _ in range(30)))
            assert len({process.pid for process in started}) == 30
            assert await asyncio.gather(*(process.exited for process in started)) == [0] * 30

    asyncio.run(scenario())


def test_what_a_process_has_started_ends_with_it(
    workspace: Workspace, tmp_path: Path, until: Until, gone: Gone
) -> None:
    program = "import os, subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True); os._exit(3)"

    async def scenario() -> None:
        async with Spawner(workspace.environ()) as spawner:
            process = await spawn(spawner, tmp_path, program)
            assert await process.exited == 3
            child = int((tmp_path / "log").read_text())
            await until(lambda: gone(child))

    asyncio.run(scenario())


def test_a_program_that_is_missing_ends_with_127_and_says_why(workspace: Workspace, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Spawner(workspace.environ()) as spawner:
            process = await spawn(spawner, tmp_path, argv=["/no/such/python"])
            assert await process.exited == 127
        assert (tmp_path / "log").read_text().startswith("can't start /no/such/python: ")

    asyncio.run(scenario())


def test_a_process_that_cannot_become_an_environment_leaves_the_spawner_as_it_was(
    workspace: Workspace, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def scenario() -> None:
        async with Spawner(workspace.environ()) as spawner:
            process = await spawn(spawner, tmp_path, cwd=tmp_path / "no-such-folder")
            assert await process.exited == 127
            process = await spawn(spawner, tmp_path, cgroup=tmp_path / "no-such-group")
            assert await process.exited == 127
            process = await spawn(spawner, tmp_path, "pass")
            assert await process.exited == 0
        # One line each in the environment's log, none in the lab's.
        first, second = (tmp_path / "log").read_text().splitlines()
        assert first.startswith(f"can't start in {tmp_path}/no-such-folder: [Errno 2]")
        assert "no-such-group" in second
        assert capfd.readouterr().err == ""

    asyncio.run(scenario())


def test_a_spawner_that_ends_while_it_starts_is_an_error(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(processes, "_PRELOAD", ("no_such_module",))

    async def scenario() -> None:
        with pytest.raises(EnvironmentStartError, match="ended at once: see its error above"):
            await Spawner(workspace.environ()).__aenter__()
        assert "No module named 'no_such_module'" in capfd.readouterr().err

    asyncio.run(scenario())


def test_a_spawner_that_ends_early_starts_no_more_processes(workspace: Workspace, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Spawner(workspace.environ()) as spawner:
            # Stopped, so that the request waits for its answer when the end comes.
            spawner._process.send_signal(signal.SIGSTOP)
            waiting = asyncio.create_task(spawn(spawner, tmp_path))
            await asyncio.sleep(0)
            spawner._process.kill()

            with pytest.raises(EnvironmentStartError, match=ENDED):
                await waiting
            with pytest.raises(EnvironmentStartError, match=ENDED):
                await spawn(spawner, tmp_path)

    asyncio.run(scenario())


def test_the_processes_of_a_spawner_that_ends_early_end_with_it(
    workspace: Workspace, tmp_path: Path, until: Until, gone: Gone
) -> None:
    async def scenario() -> None:
        async with Spawner(workspace.environ()) as spawner:
            process = await spawn(spawner, tmp_path)
            spawner._process.kill()

            assert await process.exited == -9
            await until(lambda: gone(process.pid))

    asyncio.run(scenario())


def test_a_service_whose_spawner_ended_early_says_so_and_can_be_closed(run: Run, spec: Spec) -> None:
    source = """
        def lambda_handler(event, context):
            return event
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source))
        await service.invoke("app")
        await service.settled()
        service._dispatch._spawners["runs"]._process.kill()
        await service._dispatch._spawners["runs"]._reader

        # What it had started is lost, what it has not started never starts.
        assert (await service.invoke("app")).function_error == "Unhandled"
        with pytest.raises(EnvironmentStartError, match=ENDED):
            await service.invoke("app")
        assert list(service.environments()) == []

    run(scenario)
