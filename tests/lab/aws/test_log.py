from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from warmline.lab.aws import LambdaService
from warmline.lab.aws.log import KEPT_BYTES, EnvironmentLog
from warmline.lab.errors import LabError, WorkspaceFull
from warmline.lab.workspace import Workspace

if TYPE_CHECKING:
    from .conftest import Gone, Run, Spec

WRITES = """
    def lambda_handler(event, context):
        line = b"x" * 1023 + b"\\n"
        import os
        os.write(1, b"first\\n")
        for _ in range(event):
            os.write(1, line * 64)
        os.write(1, b"last\\n")
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """
    A disk of 256 KiB.
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", disk], check=False)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_log_keeps_its_beginning_and_its_end_and_says_in_one_line_what_is_left_out(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WRITES))
        megabytes = 40

        result = await service.invoke("app", str(16 * megabytes).encode())

        assert result.function_error is None, result.payload
        assert result.log_tail.endswith("x\nlast\n")
        (environment,) = service.environments()
        text = environment.log.read_text()
        assert len(text) < KEPT_BYTES + 1024
        assert text.startswith("first\n")
        assert text.endswith("last\n")
        (line,) = (line for line in text.splitlines() if line.strip("x") not in {"", "first", "last"})
        left_out = int(line.removeprefix("[cut by the lab: ").removesuffix(" bytes of this log are left out here]"))
        note = len(f"\n{line}\n")
        assert left_out + len(text) - note == 6 + megabytes * 1024 * 1024 + 5

    run(scenario)


def test_a_log_that_is_written_without_end_can_not_hold_up_the_lab(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = EnvironmentLog(tmp_path / "log", tmp_path / "pipe")
        log.open()
        with log.pipe.open("w") as pipe:
            flood = await asyncio.create_subprocess_exec("yes", stdout=pipe)
        try:
            await asyncio.sleep(0.2)
            # Neither of them waits for the end of what is written meanwhile.
            log.catch_up()
            log.close()
        finally:
            flood.kill()
            await flood.wait()
        assert log.written > 0
        assert not log.pipe.exists()

    asyncio.run(scenario())


def test_a_log_that_does_not_fit_on_the_disk_is_an_error_of_one_line_and_cleaned_up(
    small_disk: Path, spec: Spec, monkeypatch: pytest.MonkeyPatch, gone: Gone
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))

    async def scenario(workspace: Workspace) -> list[int]:
        async with LambdaService(workspace) as service:
            service.deploy(spec(WRITES))
            # It has been answered, and only then is there no room.
            assert (await service.invoke("app", b"16")).function_error is None
            pids = [environment.pid for environment in service.environments()]
            with pytest.raises(WorkspaceFull) as full:
                await service.invoke("app", b"1")
            message = str(full.value)
            assert message.startswith(f"the log {workspace.logs}/app-")
            assert message.endswith("No space left on device; free some space there, or set TMPDIR to another folder")
            assert "\n" not in message
            assert list(service.environments()) == []
        return pids

    with Workspace() as workspace:
        pids = asyncio.run(scenario(workspace))
    assert all(map(gone, pids))
    assert list(small_disk.iterdir()) == []


async def invoke_twice(service: LambdaService) -> None:
    for _ in range(2):
        await service.invoke("app", b"1")


def test_a_disk_without_room_for_a_run_is_an_error_of_one_line(
    small_disk: Path, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))

    async def scenario(workspace: Workspace) -> None:
        async with LambdaService(workspace) as service:
            service.deploy(spec(WRITES))
            # So small that a file or a folder more does not fit.
            with suppress(OSError):
                for number in itertools.count():
                    (small_disk / f"filler-{number}").write_bytes(b"x" * 4096)
            # Where the pipe finds room, the first has been answered when its log turns out to have none.
            calls = asyncio.create_task(invoke_twice(service))
            with pytest.raises(LabError, match=r"No space left on device; free some space") as full:
                await calls
            assert "\n" not in str(full.value)

    with Workspace() as workspace:
        asyncio.run(scenario(workspace))
    for filler in small_disk.glob("filler-*"):
        filler.unlink()
    assert list(small_disk.iterdir()) == []
