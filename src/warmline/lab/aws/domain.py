"""
What runs in an environment from one Init to its end: the runtime, its extensions, and the API that they talk to.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html, and for the order of things the
public runtime interface emulator (aws/aws-lambda-runtime-interface-emulator: ``rapid/handlers.go``,
``rapid/shutdown.go``).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..network import Link
from .cpu import CpuGroup, CpuGroups, cpu_share
from .extensions import ShutdownReason, extension_files
from .freezer import Freezer
from .function import FunctionSpec
from .invocation import Outcome
from .limits import shutdown_seconds
from .processes import EnvironmentProcess, Spawner
from .runtime_api import RuntimeAPI
from .state import Ending
from .variables import extension_variables, variables

# A runtime that has posted an error ends by itself, and its exit code tells which.
_POSTED_ERROR_SECONDS = 2.0


class RuntimeDomain:
    """
    The processes of one Init, of which an environment may have several in turn: their ``generation`` is counted from 1.

    ``ended`` resolves when the first of them has ended: with its name (``None`` is the
    runtime's) and exit code.
    """

    def __init__(
        self,
        name: str,
        function: FunctionSpec,
        *,
        spawner: Spawner,
        freezer: Freezer,
        log: Path,
        environ: Mapping[str, str],
        link: Link | None,
        cpus: CpuGroups | None,
        generation: int,
    ) -> None:
        self.function = function
        self._name = name
        self._spawner = spawner
        self._freezer = freezer
        self._log = log
        self._environ = environ
        self._link = link
        # Not the name of an earlier one's, whose last process may still be ending.
        self._group_name = name if generation == 1 else f"{name}.{generation}"
        self.group: Path | None = None
        self._files = extension_files(function)
        self.api = RuntimeAPI(function, [file.name for file in self._files])
        self._cpus = cpus
        self.cpu: CpuGroup | None = None
        self._over = False
        self.runtime: EnvironmentProcess | None = None
        self._extensions: dict[str, EnvironmentProcess] = {}
        self.ended: asyncio.Future[tuple[str | None, int]] = asyncio.get_running_loop().create_future()

    async def init(self, seconds: float, request_id: str, *, whole_cpu: bool = True) -> Outcome | None:
        """
        Run the Init phase; return ``None`` when it went well and else the error.

        :param request_id: the invocation that it is run for, which an error names
        :param whole_cpu: not the share that the function's memory buys, as in the Init that Lambda runs first
        :raises TimeoutError: it took too long.
        """
        async with asyncio.timeout(seconds):
            failed = await self._launch(request_id, whole_cpu=whole_cpu)
            if failed is None:
                await self.first_of(self.api.init)
        return failed or await self.result(self.api.init, request_id)

    async def result(self, phase: asyncio.Future[Outcome | None], request_id: str) -> Outcome | None:
        """
        What came of Init or a restore that has ended, with the processes or without.
        """
        if not phase.done():
            return self.exit_error(request_id)
        failed = phase.result()
        if failed is not None and self.runtime is not None:
            await asyncio.wait((self.runtime.exited,), timeout=_POSTED_ERROR_SECONDS)
        return failed

    async def first_of(self, future: asyncio.Future[Any], seconds: float | None = None) -> None:
        """
        Wait for the future or the end of a process, whichever comes first, at most so long.
        """
        await asyncio.wait((future, self.ended), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)

    def limit_cpu(self) -> None:
        """
        From now on give its processes what the function's memory buys.
        """
        if self.cpu is not None:
            self.cpu.limit(cpu_share(self.function.memory_mb))

    def exit_error(self, request_id: str) -> Outcome:
        """
        The error that the end of a process is to who has invoked the function.
        """
        name, code = self.ended.result()
        if code < 0:
            # The system's own words, as on AWS: "killed", "segmentation fault".
            how = f"signal: {signal.strsignal(-code) or -code}".lower()
        else:
            how = f"exit status {code}" if code else "exit code 0"
        if name is not None:
            kind, text = "Extension.Crash", how
        else:
            kind = "Runtime.ExitError"
            text = f"Runtime exited with error: {how}" if code else "Runtime exited without providing a reason"
        return failure(self.api.extensions.fatal or kind, f"RequestId: {request_id} Error: {text}")

    def alive(self) -> Iterator[EnvironmentProcess]:
        """
        The processes that have not ended.
        """
        return (process for process in self._processes() if not process.exited.done())

    def freeze(self) -> None:
        """
        Stop all processes.
        """
        for process in self._processes():
            self._freezer.freeze(process, self.group)

    def thaw(self) -> None:
        """
        Let them go on.
        """
        for process in self._processes():
            self._freezer.thaw(process, self.group)

    async def shutdown(self, reason: ShutdownReason) -> Ending:
        """
        End it as Lambda does: as `terminate` does, or with SIGKILL at once where there is no extension.
        """
        return await (self.terminate(reason) if self.api.extensions.names else self.kill())

    async def terminate(self, reason: ShutdownReason) -> Ending:
        """
        End it with SIGTERM to the runtime, then SHUTDOWN to the external extensions, each with a grace, and SIGKILL to
        what is left.
        """
        started, started_at = time.monotonic(), time.time()
        own, whole = shutdown_seconds(self.function, internal=self.api.extensions.internal, external=bool(self._files))
        killed_after_ms: float | None = None
        if self.runtime is not None and not self.runtime.exited.done():
            self.runtime.signal_group(signal.SIGTERM)
            await asyncio.wait((self.runtime.exited,), timeout=own)
            if not self.runtime.exited.done():
                killed_after_ms = (time.monotonic() - started) * 1000
                self.runtime.signal_group(signal.SIGKILL)
        self.api.shut_down(reason, started_at + whole)
        told = []
        for name, process in self._extensions.items():
            if self.api.extensions.subscribed(name, "SHUTDOWN"):
                told.append(process.exited)
            else:
                process.signal_group(signal.SIGKILL)
        if told:
            left = started + whole - time.monotonic()
            _, late = await asyncio.wait(told, timeout=max(left, 0))
            if late and killed_after_ms is None:
                killed_after_ms = (time.monotonic() - started) * 1000
        return await self._end(started, killed_after_ms)

    async def kill(self) -> Ending:
        """
        End it with SIGKILL, frozen or not.
        """
        return await self._end(time.monotonic(), 0.0 if any(self.alive()) else None)

    async def _end(self, started: float, killed_after_ms: float | None) -> Ending:
        self._over = True
        for process in self._processes():
            process.signal_group(signal.SIGKILL)
        exited = [process.exited for process in self._processes()]
        if exited:
            await asyncio.wait(exited)
        milliseconds = (time.monotonic() - started) * 1000
        self._freezer.forget(self.group)
        if self.cpu is not None:
            self.cpu.forget()
        await self.api.close()
        # There is none if starting it was cancelled half-way.
        exit_code = self.runtime.exited.result() if self.runtime is not None else 0
        codes = {name: process.exited.result() for name, process in self._extensions.items()}
        return Ending(exit_code, milliseconds, killed_after_ms, codes)

    async def _launch(self, request_id: str, *, whole_cpu: bool) -> Outcome | None:
        """
        Start the extensions, wait until they have registered, and start the runtime.
        """
        # A copy, which ends with the API: a link may have several in turn.
        address = await self.api.open(self._link.listener.dup() if self._link is not None else None)
        self.group = self._freezer.group(self._group_name)
        if self._cpus is not None:
            self.cpu = self._cpus.group(self._group_name, self.group)
            if not whole_cpu:
                self.limit_cpu()
        for file in self._files:
            if not os.access(file, os.X_OK):
                text = f"RequestId: {request_id} Error: fork/exec /opt/extensions/{file.name}: permission denied"
                return failure("Extension.LaunchError", text)
            environ = {**extension_variables(self.function, address), **self._environ}
            self._extensions[file.name] = await self._start([str(file)], environ, file.name)
        if self._files:
            registered = asyncio.ensure_future(self.api.extensions.registered.wait())
            try:
                await self.first_of(registered)
            finally:
                registered.cancel()
            if self.ended.done():
                return self.exit_error(request_id)
        function = self.function
        environ = {**variables(function, self._name, address), **self._environ}
        self.runtime = await self._start(_program(function), environ, None)
        return None

    async def _start(self, argv: list[str] | None, environ: Mapping[str, str], name: str | None) -> EnvironmentProcess:
        process = await self._spawner.spawn(
            argv=argv,
            handler=self.function.handler,
            env=environ,
            cwd=self.function.code,
            log=self._log,
            cgroups=[group for group in (self.group, self.cpu.path if self.cpu else None) if group is not None],
            network=self._link.path if self._link is not None else None,
            managed=self.function.managed and name is None,
        )
        if self._over:
            # All of it was ended while this one started.
            process.signal_group(signal.SIGKILL)
        process.exited.add_done_callback(lambda exited: self._note_end(name, exited.result()))
        return process

    def _note_end(self, name: str | None, code: int) -> None:
        if not self.ended.done():
            self.ended.set_result((name, code))

    def _processes(self) -> Iterator[EnvironmentProcess]:
        if self.runtime is not None:
            yield self.runtime
        yield from self._extensions.values()


def _program(function: FunctionSpec) -> list[str] | None:
    """
    What a new process of the function runs; ``None``: it is forked from one that has Python's runtime client.
    """
    if function.command is not None:
        return list(function.command)
    return [sys.executable, "-m", "awslambdaric", function.handler] if function.start == "exec" else None


def failure(kind: str, message: str) -> Outcome:
    """
    What the caller gets when Lambda itself ends an invocation.
    """
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}).encode(), error=True)
