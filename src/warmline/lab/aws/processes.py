"""
Our side of the spawner: start an environment's process, signal it, learn of its end.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import EnvironmentStartError

_SPAWNER = Path(__file__).with_name("spawner.py")

# What Python environments import, and what the runtime client is built on. Not the runtime client itself, which reads
# its environment's variables while it is imported. With the driver warmline too: else the one function that uses it
# would pay for an import that the zygote spares the others.
_PRELOAD = (
    "warmline.runtime.client",
    "warmline.runtime.closer",
    "warmline.runtime.extension",
    "warmline.runtime.invocation",
    "warmline.runtime.loop",
    "warmline.runtime.shutdown",
    "warmline.runtime.watch",
    "warmline.lab.names.child",
    "simplejson",
    "decimal",
    "http.client",
    "concurrent.futures.thread",
    "snapshot_restore_py",
)

# Of the C library's memory: the threads of a fork would each begin one of their own, which is time and pages.
_ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}

_ENDED = "the process that starts the environments has ended"


class EnvironmentProcess:
    """
    A running environment: the leader of a process group of its own.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def signal_group(self, number: signal.Signals) -> None:
        """
        Signal the process and what it has started, unless it has ended.
        """
        if not self.exited.done():
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                return


class Spawner:
    """
    The process that starts environments; ``async with`` starts and ends it.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)
        self._running: dict[int, EnvironmentProcess] = {}
        self._starting: deque[asyncio.Future[EnvironmentProcess]] = deque()
        # Children that ended before their own pid had been read.
        self._early: dict[int, int] = {}

    async def __aenter__(self) -> Spawner:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            # Else this folder would stand first in sys.path, and its modules in front of anybody's.
            "-P",
            str(_SPAWNER),
            *_PRELOAD,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **_ONE_ARENA, **self._environ},
            # Ctrl-C is for the lab, which then ends its environments one by one.
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101  for the type checker
        assert self._process.stdout is not None  # noqa: S101
        self._requests, self._messages = self._process.stdin, self._process.stdout
        try:
            ready = await self._messages.readline()
        except BaseException:
            # Interrupted while it imports: nobody else would end it.
            self._process.kill()
            await self._process.wait()
            raise
        if not ready:
            await self._process.wait()
            raise EnvironmentStartError("the process that starts the environments ended at once: see its error above")
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._requests.close()
        await self._process.wait()
        await self._reader

    async def spawn(
        self,
        *,
        argv: Sequence[str] | None,
        handler: str,
        env: Mapping[str, str],
        cwd: Path,
        log: Path,
        cgroups: Sequence[Path] = (),
        network: str | None = None,
        managed: bool = False,
    ) -> EnvironmentProcess:
        """
        Start one environment: ``argv`` as a new program, or without one a fork that runs the handler.

        :param network: the path of the network namespace that it is to be in
        :param managed: its process stays until all workers have ended, which the runtime client does not
        """
        request: dict[str, Any] = {
            "argv": list(argv) if argv else None,
            "handler": handler,
            "env": dict(env),
            "cwd": str(cwd),
            "log": str(log),
            "cgroups": [str(group) for group in cgroups],
            "network": network,
            "managed": managed,
        }
        if self._reader.done():
            raise EnvironmentStartError(_ENDED)
        started: asyncio.Future[EnvironmentProcess] = asyncio.get_running_loop().create_future()
        self._starting.append(started)
        self._requests.write(json.dumps(request).encode() + b"\n")
        try:
            return await asyncio.shield(started)
        except asyncio.CancelledError:
            # It starts all the same, and nobody would know of it.
            started.add_done_callback(_end_unwanted)
            raise

    async def _read(self) -> None:
        while line := await self._messages.readline():
            message = json.loads(line)
            if "exited" in message:
                self._ended(message["exited"], message["status"])
                continue
            process = EnvironmentProcess(message["pid"])
            self._running[process.pid] = process
            if process.pid in self._early:
                self._ended(process.pid, self._early.pop(process.pid))
            started = self._starting.popleft()
            if not started.done():
                started.set_result(process)
        for started in self._starting:
            if not started.done():
                started.set_exception(EnvironmentStartError(_ENDED))
        # Nobody would tell of the end of those that are left.
        for process in self._running.values():
            process.signal_group(signal.SIGKILL)
            process.exited.set_result(-signal.SIGKILL)

    def _ended(self, pid: int, status: int) -> None:
        process = self._running.pop(pid, None)
        if process is None:
            self._early[pid] = status
        elif not process.exited.done():
            process.exited.set_result(status)


def _end_unwanted(started: asyncio.Future[EnvironmentProcess]) -> None:
    if started.exception() is None:
        started.result().signal_group(signal.SIGKILL)
