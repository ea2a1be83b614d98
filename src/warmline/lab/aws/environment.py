"""
One execution environment: Init, snapshot and restore, Invoke, freeze, thaw, and its end.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html, and for managed instances the
public runtime interface emulator (aws/aws-lambda-runtime-interface-emulator, ``lambda-managed-instances``).
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, assert_never

from ..errors import UnusableFunction
from ..network import Link
from ..workspace import Workspace
from .clock import StoppedClock, clock_library
from .freezer import Freezer
from .function import FunctionSpec
from .processes import EnvironmentProcess, Spawner
from .runtime_api import Invocation, Outcome, RuntimeAPI
from .variables import variables

# Init has ten seconds.
INIT_SECONDS = 10.0

# Restore and after-restore hooks have ten together.
RESTORE_SECONDS = 10.0

# A runtime that has posted an error ends by itself, and its exit code tells which.
_POSTED_ERROR_SECONDS = 0.5

# With an internal extension Lambda sends SIGTERM and waits this long before SIGKILL; with none it kills at once.
SHUTDOWN_SECONDS = 0.5
MANAGED_SHUTDOWN_SECONDS = 0.6

# The ways in which an environment can end, see `Environment`'s methods of these names.
How = Literal["shutdown", "terminate", "kill", "destroy"]


class State(Enum):
    """
    Where an environment stands.
    """

    STARTING = "starting"
    SNAPSHOT = "snapshot"
    BUSY = "busy"
    IDLE = "idle"
    FROZEN = "frozen"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Ending:
    """
    How an environment ended: exit code (negative: the signal), and the time from the first signal to its end.

    ``killed_after_ms`` is when SIGKILL ended what was left; ``None`` if nothing was.
    """

    exit_code: int
    milliseconds: float
    killed_after_ms: float | None


class Environment:
    """
    A process with the real runtime client, and the API that it talks to.

    ``link`` is its network, if it has one of its own; the environment closes it at its end.
    """

    def __init__(
        self,
        name: str,
        function: FunctionSpec,
        *,
        spawner: Spawner,
        freezer: Freezer,
        workspace: Workspace,
        link: Link | None = None,
    ) -> None:
        self.name = name
        self.function = function
        self.state = State.STARTING
        self.link = link
        self.log = workspace.logs / f"{name}.log"
        self._spawner = spawner
        self._freezer = freezer
        self._mark = workspace.environ()
        self._clock: StoppedClock | None = None
        if function.monotonic == "stands-still":
            library = clock_library(workspace.directory)
            self._clock = StoppedClock(library, workspace.directory / f"{name}.clock")
        self._group: Path | None = None
        self._api = RuntimeAPI(function)
        self._process: EnvironmentProcess | None = None
        self._spent = False

    @property
    def pid(self) -> int:
        """
        The process that runs the handler.
        """
        return self._running.pid

    @property
    def waiting_workers(self) -> int:
        """
        How many of its runtimes wait for an event: the one it has, or the workers of a managed instance.
        """
        return self._api.waiting

    @property
    def _is_told(self) -> bool:
        """
        Whether Lambda would send it SIGTERM.
        """
        return bool(self._api.extensions) and self.state is not State.SNAPSHOT

    @property
    def _running(self) -> EnvironmentProcess:
        assert self._process is not None, "the environment has not been started"  # noqa: S101
        return self._process

    async def start(self, seconds: float = INIT_SECONDS, *, request_id: str = "") -> Outcome | None:
        """
        Run the Init phase; return ``None`` when it went well and else the error, with the environment ended.

        With SnapStart it is a snapshot then, which `restore` makes an environment of.

        :param request_id: the invocation that it is run for, which an error names.
        """
        address = await self._api.open(self.link.listener if self.link is not None else None)
        self._group = self._freezer.group(self.name)
        function = self.function
        clock = self._clock.environ() if self._clock is not None else {}
        self._process = await self._spawner.spawn(
            argv=_program(function),
            handler=function.handler,
            env={**variables(function, self.name, address), **clock, **self._mark},
            cwd=function.code,
            log=self.log,
            cgroup=self._group,
            network=self.link.path if self.link is not None else None,
            managed=function.managed,
        )
        failed = await self._phase(self._api.init, "Init", seconds, request_id)
        if failed is None and function.initialization == "snap-start":
            self.freeze()
            self.state = State.SNAPSHOT
        return failed

    async def restore(self, seconds: float = RESTORE_SECONDS, *, request_id: str = "") -> Outcome | None:
        """
        Let a snapshot go on; return as `start` does.
        """
        self.thaw()
        self._api.restore()
        return await self._phase(self._api.restored, "Restore", seconds, request_id)

    async def invoke(self, invocation: Invocation) -> Outcome:
        """
        Give the handler one event and return what comes of it, a timeout and a crash included.
        """
        seconds = self.function.timeout_seconds
        self.state = State.BUSY
        invocation.deadline = time.time() + seconds
        self._api.give(invocation)
        await self._first_of(invocation.outcome, seconds)
        if invocation.outcome.done():
            return invocation.outcome.result()
        if self._running.exited.done():
            self._spent = True
            return self._exit_error(invocation.request_id)
        # A managed instance serves others meanwhile, so it goes on, and so does the worker.
        self._spent = not self.function.managed
        text = f"RequestId: {invocation.request_id} Error: Task timed out after {seconds:.2f} seconds"
        return _failure("Sandbox.Timedout", text)

    async def settle(self) -> None:
        """
        After an invocation: wait until runtime and extensions wait for the next event, then freeze.

        After a timeout or a crash the environment ends instead: Lambda resets it the way that it shuts one down.
        A managed instance is never frozen.
        """
        if self._spent:
            # The processes end, and the environment's kernel goes on: a FIN is sent.
            await (self.terminate() if self._is_told else self.kill())
            return
        if self.function.managed:
            if not self._api.busy:
                self.state = State.IDLE
            return
        idle = asyncio.ensure_future(self._api.idle.wait())
        await self._first_of(idle, None)
        if idle.done():
            self.freeze()
            return
        idle.cancel()
        await self.kill()

    def freeze(self) -> None:
        """
        Stop all processes of the environment, and cut its network if that is its own, as with a machine that stands.
        """
        self._freezer.freeze(self._running, self._group)
        if self.link is not None:
            self.link.disconnect()
        if self._clock is not None:
            self._clock.stop()
        self.state = State.FROZEN

    def thaw(self) -> None:
        """
        Let them go on.
        """
        if self.state in {State.FROZEN, State.SNAPSHOT}:
            if self.link is not None:
                self.link.connect()
            if self._clock is not None:
                self._clock.go_on()
            self._freezer.thaw(self._running, self._group)
            self.state = State.IDLE

    async def end(self, how: How) -> Ending:
        """
        End it in one of the ways that there are.
        """
        match how:
            case "shutdown":
                return await self.shutdown()
            case "terminate":
                return await self.terminate()
            case "kill":
                return await self.kill()
            case "destroy":
                return await self.destroy()
            case _:
                assert_never(how)

    async def shutdown(self) -> Ending:
        """
        End it as Lambda does: SIGTERM and a grace if an extension is registered, SIGKILL at once if none is.

        A snapshot is no environment yet, so nothing in it is told. What has a network of its own and is not told
        goes with it, as a microVM does: no server gets a FIN.
        """
        if self._is_told:
            return await self.terminate()
        return await (self.kill() if self.link is None else self.destroy())

    async def terminate(self) -> Ending:
        """
        End it with SIGTERM, and with SIGKILL what is left after the grace that an extension would have given it.

        By SIGTERM's default action, where the function does not handle it: the kernel closes its connections.
        """
        self.thaw()
        started = time.monotonic()
        self._running.signal_group(signal.SIGTERM)
        grace = MANAGED_SHUTDOWN_SECONDS if self.function.managed else SHUTDOWN_SECONDS
        await asyncio.wait((self._running.exited,), timeout=grace)
        return await self._end(started)

    async def kill(self) -> Ending:
        """
        End it with SIGKILL, frozen or not: the kernel closes its connections, and their servers get a FIN.
        """
        if self.link is not None:
            self.link.connect()
        return await self._end(time.monotonic())

    async def destroy(self) -> Ending:
        """
        End it as Lambda ends a microVM: nobody learns of it, and servers keep its connections.

        :raises UnusableFunction: its network is this machine's, whose kernel closes them.
        """
        check_destroyable(self.function)
        if self.link is not None:
            self.link.disconnect()
        return await self._end(time.monotonic())

    async def _end(self, started: float) -> Ending:
        self.state = State.ENDED
        exit_code, killed_after_ms = 0, None
        # There is none if starting it was cancelled half-way.
        if self._process is not None:
            if not self._process.exited.done():
                killed_after_ms = (time.monotonic() - started) * 1000
            self._process.signal_group(signal.SIGKILL)
            exit_code = await asyncio.shield(self._process.exited)
        milliseconds = (time.monotonic() - started) * 1000
        self._freezer.forget(self._group)
        await self._api.close()
        if self.link is not None:
            self.link.close()
        return Ending(exit_code, milliseconds, killed_after_ms)

    async def _phase(
        self, ended: asyncio.Future[Outcome | None], name: str, seconds: float, request_id: str
    ) -> Outcome | None:
        """
        Wait for the end of Init or Restore, and end the environment if it has failed.
        """
        await self._first_of(ended, seconds)
        if ended.done():
            failed = ended.result()
        elif self._running.exited.done():
            failed = self._exit_error(request_id)
        else:
            failed = _failure("Sandbox.Timedout", f"{name} took over {seconds:g} seconds")
        if failed is None:
            self.state = State.IDLE
        else:
            if ended.done():
                await asyncio.wait((self._running.exited,), timeout=_POSTED_ERROR_SECONDS)
            await self.kill()
        return failed

    async def _first_of(self, future: asyncio.Future[Any], seconds: float | None) -> None:
        """
        Wait for the future or the end of the process, whichever comes first, at most so long.
        """
        await asyncio.wait((future, self._running.exited), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)

    def _exit_error(self, request_id: str) -> Outcome:
        code = self._running.exited.result()
        if code == 0:
            how = "without providing a reason"
        elif code > 0:
            how = f"with error: exit status {code}"
        else:
            # The system's own words, as on AWS: "killed", "segmentation fault".
            how = f"with error: signal: {signal.strsignal(-code) or -code}".lower()
        return _failure("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited {how}")


def _program(function: FunctionSpec) -> list[str] | None:
    """
    What a new process of the function runs; ``None``: it is forked from one that has Python's runtime client.
    """
    if function.command is not None:
        return list(function.command)
    return [sys.executable, "-m", "awslambdaric", function.handler] if function.start == "exec" else None


def check_destroyable(function: FunctionSpec) -> None:
    """
    See to it that this function's environments can end without a FIN.

    :raises UnusableFunction: they can't: on this machine's network its kernel sends one.
    """
    if function.network == "shared":
        raise UnusableFunction(
            f"environments of {function.name} can't be destroyed without a FIN on this machine's network: give it "
            'network="own", or black-hole its egress address at a cluster\'s front and kill them'
        )


def _failure(kind: str, message: str) -> Outcome:
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}).encode(), error=True)
