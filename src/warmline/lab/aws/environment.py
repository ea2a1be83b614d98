"""
One execution environment: Init, snapshot and restore, Invoke, freeze, thaw, and its end.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

import asyncio
import time
from typing import assert_never

from ..errors import UnusableFunction
from ..network import Link
from ..workspace import Workspace
from . import limits
from .clock import StoppedClock, clock_library
from .cpu import CpuGroups
from .domain import RuntimeDomain, failure
from .extensions import ShutdownReason
from .freezer import Freezer
from .function import FunctionSpec
from .invocation import Invocation, Outcome
from .limits import init_seconds
from .log import EnvironmentLog
from .processes import EnvironmentProcess, Spawner
from .state import Ending, How, State


class Environment:
    """
    Processes with the real runtime client, and the API that they talk to.

    ``link`` is its network, if it has one of its own; the environment closes it at its end. ``cpus`` is where its
    processes get the share of a CPU that its memory buys.
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
        cpus: CpuGroups | None = None,
    ) -> None:
        self.name = name
        self.function = function
        self.state = State.STARTING
        self.link = link
        self.log = workspace.logs / f"{name}.log"
        self._log = EnvironmentLog(self.log, workspace.directory / f"{name}.pipe")
        self._clock: StoppedClock | None = None
        environ = workspace.environ()
        if function.monotonic == "stands-still":
            self._clock = StoppedClock(clock_library(workspace.directory), workspace.directory / f"{name}.clock")
            environ |= self._clock.environ()
        self._spawner = spawner
        self._freezer = freezer
        self._environ = environ
        self._cpus = cpus
        self._generation = 0
        self._domain = self._new_domain()
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
    def logged(self) -> int:
        """
        How many bytes its processes have written so far.
        """
        return self._log.written

    def log_since(self, logged: int) -> str:
        """
        The end of what they have written since, as much as Lambda gives to a caller.
        """
        return self._log.since(logged)

    @property
    def is_spent(self) -> bool:
        """
        Whether it will be reset, or end, since its last invocation has timed out or crashed.
        """
        return self._spent is not None

    @property
    def repeats_init(self) -> bool:
        """
        Whether its next invocation begins with Init, since something in it has failed.
        """
        return self.state is State.RESET

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
        return bool(self._domain.api.extensions.names) and self.state not in {State.SNAPSHOT, State.RESET}

    @property
    def _running(self) -> EnvironmentProcess:
        assert self._domain.runtime is not None, "the environment has not been started"  # noqa: S101
        return self._domain.runtime

    async def start(self, seconds: float | None = None, *, request_id: str = "") -> Outcome | None:
        """
        Run the Init phase; return ``None`` when it went well and else the error.

        With SnapStart it is a snapshot then, which `restore` makes an environment of. After an error it is reset, and
        the first invocation repeats Init; one that is not started on demand ends.

        :param seconds: its limit, if not Lambda's
        :param request_id: the invocation that it is run for, which an error names
        """
        seconds = seconds or init_seconds(self.function)
        self._log.open()
        try:
            failed = await self._domain.init(seconds, request_id)
        except TimeoutError:
            failed = failure("Sandbox.Timedout", f"Init took over {seconds:g} seconds")
        self._log.catch_up()
        if failed is None:
            self._domain.limit_cpu()
        if failed is not None:
            await self._reset_failed()
        elif self.function.initialization == "snap-start":
            self.freeze()
            self.state = State.SNAPSHOT
        else:
            self.state = State.IDLE
        return failed

    async def restore(self, seconds: float | None = None, *, request_id: str = "") -> Outcome | None:
        """
        Let a snapshot go on; return ``None`` or the error, with the environment ended.

        :param seconds: its limit, if not Lambda's
        """
        seconds = seconds or limits.RESTORE_SECONDS
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
            await self._reset_failed()
        return failed

    async def invoke(self, invocation: Invocation) -> Outcome:
        """
        Give the handler one event and return what comes of it, a timeout and a crash included.

        One that has been reset runs Init first, and the function's timeout holds for both: Lambda calls that a
        suppressed Init.

        :raises WorkspaceFull: what it has written before could not be kept.
        """
        self._log.check()
        outcome = await self._invoke(invocation)
        self._log.catch_up()
        return outcome

    async def settle(self) -> None:
        """
        After an invocation: wait until runtime and extensions wait for the next event, then freeze.

        After a timeout or a crash it is reset instead, the way that Lambda shuts one down, or ends if it was not
        started on demand. So it does when the extensions go on longer than the invocation may take. A managed instance
        is never frozen.
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
        self._log.close()
        if self.link is not None:
            self.link.close()
        return ending

    async def _invoke(self, invocation: Invocation) -> Outcome:
        seconds = self.function.timeout_seconds
        self._deadline = time.monotonic() + seconds
        invocation.deadline = time.time() + seconds
        if self.repeats_init:
            self._spent = None
            self._domain = self._new_domain()
            self.state = State.BUSY
            try:
                failed = await self._domain.init(seconds, invocation.request_id, whole_cpu=False)
            except TimeoutError:
                return self._timed_out(invocation)
            if failed is not None:
                self._spent = ShutdownReason.FAILURE
                return failed
        self.state = State.BUSY
        self._domain.api.give(invocation)
        await self._domain.first_of(invocation.outcome, max(self._deadline - time.monotonic(), 0))
        if invocation.outcome.done():
            return invocation.outcome.result()
        if self._domain.ended.done():
            self._spent = ShutdownReason.FAILURE
            return self._domain.exit_error(invocation.request_id)
        return self._timed_out(invocation)

    def _new_domain(self) -> RuntimeDomain:
        self._generation += 1
        return RuntimeDomain(
            self.name,
            self.function,
            spawner=self._spawner,
            freezer=self._freezer,
            log=self._log.pipe,
            environ=self._environ,
            link=self.link,
            cpus=self._cpus,
            generation=self._generation,
        )

    def _timed_out(self, invocation: Invocation) -> Outcome:
        # A managed instance serves others meanwhile, so it goes on, and so does the worker.
        if not self.function.managed:
            self._spent = ShutdownReason.TIMEOUT
        text = f"Task timed out after {self.function.timeout_seconds:.2f} seconds"
        return failure("Sandbox.Timedout", f"RequestId: {invocation.request_id} Error: {text}")

    async def _reset_failed(self) -> None:
        """
        Reset it after a phase that has failed.
        """
        await self._reset(ShutdownReason.FAILURE if self._domain.ended.done() else ShutdownReason.TIMEOUT)

    async def _reset(self, reason: ShutdownReason) -> None:
        """
        End its processes as a shutdown does; the environment's kernel goes on, so a FIN is sent.
        """
        self.thaw()
        ending = await self._domain.shutdown(reason)
        # Somebody may have ended it meanwhile.
        if self.function.initialization == "on-demand" and self.state is not State.ENDED:
            self.state = State.RESET
        else:
            self._ended(ending)


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
