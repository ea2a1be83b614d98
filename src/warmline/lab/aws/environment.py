"""
One execution environment: Init, snapshot and restore, Invoke, freeze, thaw, and its end.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

import asyncio
import time
from enum import Enum
from typing import Literal, assert_never

from ..errors import UnusableFunction
from ..network import Link
from ..workspace import Workspace
from .clock import StoppedClock, clock_library
from .domain import Ending, RuntimeDomain, failure
from .extensions import ShutdownReason
from .freezer import Freezer
from .function import FunctionSpec
from .invocation import Invocation, Outcome
from .processes import EnvironmentProcess, Spawner

# Init has ten seconds.
INIT_SECONDS = 10.0

# Restore and after-restore hooks have ten together.
RESTORE_SECONDS = 10.0

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


class Environment:
    """
    Processes with the real runtime client, and the API that they talk to.

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
        self._clock: StoppedClock | None = None
        environ = workspace.environ()
        if function.monotonic == "stands-still":
            self._clock = StoppedClock(clock_library(workspace.directory), workspace.directory / f"{name}.clock")
            environ |= self._clock.environ()
        self._domain = RuntimeDomain(
            name, function, spawner=spawner, freezer=freezer, log=self.log, environ=environ, link=link
        )
        # Why it is to be reset, once an invocation has failed.
        self._spent: ShutdownReason | None = None
        # When the invocation has to be over for the extensions too.
        self._deadline: float | None = None

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
        return self._domain.api.waiting

    @property
    def _is_told(self) -> bool:
        """
        Whether Lambda would send it SIGTERM.
        """
        return bool(self._domain.api.extensions.names) and self.state is not State.SNAPSHOT

    @property
    def _running(self) -> EnvironmentProcess:
        assert self._domain.runtime is not None, "the environment has not been started"  # noqa: S101
        return self._domain.runtime

    async def start(self, seconds: float = INIT_SECONDS, *, request_id: str = "") -> Outcome | None:
        """
        Run the Init phase; return ``None`` when it went well and else the error, with the environment ended.

        With SnapStart it is a snapshot then, which `restore` makes an environment of.

        :param request_id: the invocation that it is run for, which an error names.
        """
        failed = await self._domain.init(seconds, request_id)
        if failed is not None:
            await self._end_failed()
        elif self.function.initialization == "snap-start":
            self.freeze()
            self.state = State.SNAPSHOT
        else:
            self.state = State.IDLE
        return failed

    async def restore(self, seconds: float = RESTORE_SECONDS, *, request_id: str = "") -> Outcome | None:
        """
        Let a snapshot go on; return as `start` does.
        """
        self.thaw()
        api = self._domain.api
        api.restore()
        await self._domain.first_of(api.restored, seconds)
        if api.restored.done() or self._domain.ended.done():
            failed = await self._domain.result(api.restored, request_id)
        else:
            failed = failure("Sandbox.Timedout", f"Restore took over {seconds:g} seconds")
        if failed is None:
            self.state = State.IDLE
        else:
            await self._end_failed()
        return failed

    async def invoke(self, invocation: Invocation) -> Outcome:
        """
        Give the handler one event and return what comes of it, a timeout and a crash included.
        """
        seconds = self.function.timeout_seconds
        self.state = State.BUSY
        self._deadline = time.monotonic() + seconds
        invocation.deadline = time.time() + seconds
        self._domain.api.give(invocation)
        await self._domain.first_of(invocation.outcome, seconds)
        if invocation.outcome.done():
            return invocation.outcome.result()
        if self._domain.ended.done():
            self._spent = ShutdownReason.FAILURE
            return self._domain.exit_error(invocation.request_id)
        # A managed instance serves others meanwhile, so it goes on, and so does the worker.
        if not self.function.managed:
            self._spent = ShutdownReason.TIMEOUT
        text = f"RequestId: {invocation.request_id} Error: Task timed out after {seconds:.2f} seconds"
        return failure("Sandbox.Timedout", text)

    async def settle(self) -> None:
        """
        After an invocation: wait until runtime and extensions wait for the next event, then freeze.

        After a timeout or a crash the environment ends instead: Lambda resets it the way that it shuts one down. So it
        does when the extensions go on longer than the invocation may take. A managed instance is never frozen.
        """
        if self._spent is None and self.function.managed:
            if not self._domain.api.busy:
                self.state = State.IDLE
            return
        if self._spent is None:
            idle = asyncio.ensure_future(self._domain.api.idle.wait())
            left = None if self._deadline is None else max(self._deadline - time.monotonic(), 0)
            try:
                await self._domain.first_of(idle, left)
                if idle.done():
                    self.freeze()
                    return
            finally:
                idle.cancel()
            self._spent = ShutdownReason.FAILURE if self._domain.ended.done() else ShutdownReason.TIMEOUT
        await self._reset(self._spent)

    def freeze(self) -> None:
        """
        Stop all processes of the environment, and cut its network if that is its own, as with a machine that stands.
        """
        self._domain.freeze()
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
            self._domain.thaw()
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

    async def shutdown(self, reason: ShutdownReason = ShutdownReason.SPINDOWN) -> Ending:
        """
        End it as Lambda does: SIGTERM and a grace if an extension is registered, SIGKILL at once if none is.

        A snapshot is no environment yet, so nothing in it is told. What has a network of its own and is not told
        goes with it, as a microVM does: no server gets a FIN.
        """
        if self._is_told:
            self.thaw()
            return self._ended(await self._domain.shutdown(reason))
        return await (self.kill() if self.link is None else self.destroy())

    async def terminate(self) -> Ending:
        """
        End it with SIGTERM, and with SIGKILL what is left after the grace that an extension would have given it.

        By SIGTERM's default action, where the function does not handle it: the kernel closes its connections.
        """
        self.thaw()
        return self._ended(await self._domain.terminate(ShutdownReason.SPINDOWN))

    async def kill(self) -> Ending:
        """
        End it with SIGKILL, frozen or not: the kernel closes its connections, and their servers get a FIN.
        """
        if self.link is not None:
            self.link.connect()
        self.state = State.ENDED
        return self._ended(await self._domain.kill())

    async def destroy(self) -> Ending:
        """
        End it as Lambda ends a microVM: nobody learns of it, and servers keep its connections.

        :raises UnusableFunction: its network is this machine's, whose kernel closes them.
        """
        check_destroyable(self.function)
        if self.link is not None:
            self.link.disconnect()
        self.state = State.ENDED
        return self._ended(await self._domain.kill())

    def _ended(self, ending: Ending) -> Ending:
        self.state = State.ENDED
        if self.link is not None:
            self.link.close()
        return ending

    async def _end_failed(self) -> None:
        """
        End it after a phase that has failed.
        """
        await self._reset(ShutdownReason.FAILURE if self._domain.ended.done() else ShutdownReason.TIMEOUT)

    async def _reset(self, reason: ShutdownReason) -> None:
        """
        End its processes as a shutdown does; the environment's kernel goes on, so a FIN is sent.
        """
        self.thaw()
        self._ended(await self._domain.shutdown(reason))


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
