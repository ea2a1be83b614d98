from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from warmline.lab.aws import Freezer, LambdaService, StartMode
from warmline.lab.aws.clock import clock_library
from warmline.lab.errors import ClockUnavailable
from warmline.lab.workspace import Workspace

if TYPE_CHECKING:
    from .conftest import Run, Spec

FROZEN_SECONDS = 1.0
# Of what waits in a thread when the freeze comes: by the kernel's clock it is over at the thaw.
TIMEOUT_SECONDS = 0.7

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")

CLOCKS = """
    import json, select, socket, threading, time

    WAITS = {
        "sleep": lambda seconds: time.sleep(seconds),
        "lock": lambda seconds: locked.acquire(timeout=seconds),
        "condition": lambda seconds: threading.Event().wait(seconds),
        "socket": lambda seconds: read(seconds),
        "poll": lambda seconds: select.poll().poll(seconds * 1000),
        "select": lambda seconds: select.select([pair[0]], [], [], seconds),
        "epoll": lambda seconds: select.epoll().poll(seconds),
    }
    locked = threading.Lock()
    locked.acquire()
    pair = socket.socketpair()
    waited = {}

    def read(seconds):
        pair[1].settimeout(seconds)
        try:
            pair[1].recv(1)
        except TimeoutError:
            pass

    def wait(name, seconds):
        started = time.monotonic()
        WAITS[name](seconds)
        waited[name] = time.monotonic() - started

    def clocks():
        names = ["CLOCK_MONOTONIC", "CLOCK_MONOTONIC_RAW", "CLOCK_BOOTTIME"]
        return {
            "wall": time.time(),
            "monotonic": time.monotonic(),
            "perf_counter": time.perf_counter(),
            **{name: time.clock_gettime(getattr(time, name)) for name in names},
        }

    def lambda_handler(event, context):
        for name in event.get("start", ()):
            waited.pop(name, None)
            threading.Thread(target=wait, args=(name, event["seconds"]), daemon=True).start()
        for name in event.get("wait", ()):
            wait(name, event["seconds"])
        return {"clocks": clocks(), "waited": waited}
"""
WAITS = ("sleep", "lock", "condition", "socket", "poll", "select", "epoll")


async def invoked(service: LambdaService, **event: Any) -> dict[str, Any]:
    result = await service.invoke("app", json.dumps(event).encode())
    assert result.function_error is None, result.payload
    answer: dict[str, Any] = json.loads(result.payload)
    return answer


@needs_compiler
def test_over_a_freeze_the_monotonic_clocks_stand_still_and_the_wall_clock_goes_on(
    run: Run, spec: Spec, start: StartMode
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(CLOCKS, start=start, monotonic="stands-still"))
        before = (await invoked(service))["clocks"]
        for _ in range(2):
            await service.settled()
            await asyncio.sleep(FROZEN_SECONDS)
            after = (await invoked(service))["clocks"]
            passed = {name: after[name] - before[name] for name in after}
            assert passed.pop("wall") >= FROZEN_SECONDS
            assert [name for name, seconds in passed.items() if not 0 < seconds < FROZEN_SECONDS / 2] == []
            before = after

    run(scenario)


def test_without_it_the_monotonic_clock_runs_on(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(CLOCKS))
        before = (await invoked(service))["clocks"]
        await service.settled()
        await asyncio.sleep(FROZEN_SECONDS)
        after = (await invoked(service))["clocks"]
        assert after["monotonic"] - before["monotonic"] >= FROZEN_SECONDS

    run(scenario)


@needs_compiler
def test_whatever_waits_with_a_timeout_waits_as_long_after_a_freeze_as_before(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(CLOCKS, monotonic="stands-still"))
        for _ in range(2):
            waited = (await invoked(service, wait=WAITS, seconds=0.1))["waited"]
            assert [name for name in WAITS if not 0.1 <= waited[name] < 1.0] == []
            await service.settled()
            await asyncio.sleep(FROZEN_SECONDS)

    run(scenario)


@needs_compiler
def test_a_timeout_does_not_run_out_while_the_environment_is_frozen(
    workspace: Workspace, spec: Spec, freezer: Freezer
) -> None:
    async def scenario() -> None:
        async with LambdaService(workspace, freezer=freezer) as service:
            service.deploy(spec(CLOCKS, monotonic="stands-still"))
            await invoked(service, start=WAITS, seconds=TIMEOUT_SECONDS)
            await service.settled()
            await asyncio.sleep(FROZEN_SECONDS)
            assert (await invoked(service))["waited"] == {}
            await service.settled()
            (environment,) = service.environments()
            environment.thaw()
            await asyncio.sleep(TIMEOUT_SECONDS)
            environment.freeze()
            waited = (await invoked(service))["waited"]
            assert [
                name
                for name in WAITS
                if not TIMEOUT_SECONDS <= waited.get(name, 0.0) < TIMEOUT_SECONDS + FROZEN_SECONDS / 2
            ] == []

    asyncio.run(scenario())


@needs_compiler
def test_the_library_is_compiled_once(tmp_path: Path) -> None:
    library = clock_library(tmp_path)
    compiled = library.stat().st_mtime_ns
    assert clock_library(tmp_path).stat().st_mtime_ns == compiled


def test_without_a_compiler_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClockUnavailable, match="no `cc` on PATH: install gcc or clang"):
        clock_library(tmp_path)


@needs_compiler
def test_a_source_that_does_not_compile_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho 'stopped.c:7: error: no such header' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ClockUnavailable, match=r"needs Linux: stopped\.c:7: error: no such header$"):
        clock_library(tmp_path)
