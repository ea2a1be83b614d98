"""
The Lambda service in miniature: deployed functions, their environments, and which one serves an invocation.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from ..errors import InitFailed, Throttled, UnknownFunction, UnusableFunction
from ..workspace import Workspace
from .clock import clock_library
from .command import find_command
from .counters import Counters
from .environment import Ending, Environment, How, State
from .freezer import Freezer, best_freezer
from .function import FunctionSpec, InvokeResult, Monotonic
from .processes import Spawner
from .runtime_api import Invocation, Outcome

_LOG_TAIL_BYTES = 4096

# Counts through all services: logs and cgroups of one workspace are named after their environments.
_numbers = itertools.count(1)


class Function:
    """
    A deployed function and its live environments.
    """

    def __init__(self, spec: FunctionSpec) -> None:
        self.spec = spec
        self.in_flight = 0
        self.environments: list[Environment] = []
        # The most recently used is last, and is taken first. One that has just answered may still be settling.
        # A managed instance is in it once for each worker that has nothing to do.
        self.free: list[Environment] = []

    def drop(self, environment: Environment) -> None:
        """
        Forget an environment that has ended, unless all were ended meanwhile.
        """
        if environment in self.environments:
            self.environments.remove(environment)


class LambdaService:
    """
    Deploys and invokes functions. ``async with`` starts it, and ends every environment with it.

    :param runnable: how many environments may run at the same time, all others being frozen or waiting to start. On
        AWS each has a CPU of its own; here they share this machine's, so by default two for each core, which keeps
        an environment's latency its own.
    """

    def __init__(self, workspace: Workspace, *, freezer: Freezer | None = None, runnable: int | None = None) -> None:
        self._workspace = workspace
        self.freezer = freezer or best_freezer(workspace)
        self.counters = Counters()
        self._runnable = asyncio.Semaphore(runnable or 2 * (os.cpu_count() or 1))
        self._functions: dict[str, Function] = {}
        self._settling: dict[str, asyncio.Task[None]] = {}
        self._spawners: dict[Monotonic, Spawner] = {}
        self._spawners_lock = asyncio.Lock()

    async def __aenter__(self) -> LambdaService:
        await self._spawner("runs")
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in list(self._functions):
            await self.end(name, how="kill")
        for spawner in self._spawners.values():
            await spawner.__aexit__()

    def deploy(self, spec: FunctionSpec) -> None:
        """
        Make a function known; its environments start as invocations need them.

        :raises UnusableFunction: its code is no folder, its command can't be run, or its clock can't be had here.
        """
        if not spec.code.is_dir():
            raise UnusableFunction(
                f"the code of function {spec.name} is no folder: {spec.code}; name the one with its handler"
            )
        if spec.monotonic == "stands-still":
            clock_library(self._workspace.directory)
        spec = dataclasses.replace(spec, code=spec.code.resolve())
        self._functions[spec.name] = Function(dataclasses.replace(spec, command=find_command(spec)))

    def function(self, name: str) -> Function:
        """
        Look a deployed function up.
        """
        try:
            return self._functions[name]
        except KeyError:
            raise UnknownFunction(
                f"no function {name!r} is deployed: {', '.join(self._functions) or 'none is'}"
            ) from None

    async def prepare(self, name: str, environments: int) -> None:
        """
        Do what Lambda does before the first invocation: take snapshots, or start managed instances.

        On AWS many environments are restored from one snapshot. Here a process can't be copied, so each snapshot is
        of a process of its own and is restored once.

        :raises InitFailed: the function's Init phase failed, as publishing it would on AWS.
        """
        function = self.function(name)
        failures = await asyncio.gather(*(self._prepare(function) for _ in range(environments)))
        for failed in filter(None, failures):
            raise InitFailed(f"Init of {name} failed: {failed.payload.decode()}; the log is in {self._workspace.logs}")

    async def invoke(self, name: str, payload: bytes = b"{}", *, client_context: str | None = None) -> InvokeResult:
        """
        Invoke a function and wait for its answer, whatever it is; an error of the function is a result too.

        :raises Throttled: all of the function's reserved concurrency is in use.
        """
        function = self.function(name)
        limit = function.spec.reserved_concurrency
        if limit is not None and function.in_flight >= limit:
            self.counters.throttles += 1
            raise Throttled(f"{limit} invocations of {name} are running already: that is its reserved concurrency")
        function.in_flight += 1
        try:
            environment = await self._take(function)
            with _kept(function, environment):
                await self._runnable.acquire()
            invocation = Invocation(payload, client_context=client_context)
            try:
                return await self._run(function, environment, invocation)
            except BaseException:
                self._runnable.release()
                if function.spec.managed and environment.state is State.BUSY:
                    # Its caller has gone, and the worker works on.
                    _give_back(function, environment, invocation)
                    raise
                # Cancelled, or a fault of the lab itself: this environment's state is unknown.
                function.drop(environment)
                await environment.kill()
                raise
        finally:
            function.in_flight -= 1

    async def settled(self) -> None:
        """
        Wait until every environment that has answered is frozen and free again.
        """
        while self._settling:
            await asyncio.wait(self._settling.values())

    async def end(self, name: str, *, how: How) -> list[Ending]:
        """
        End all of a function's environments, in one of these ways:

        - ``shutdown``: by Lambda's Shutdown phase, as each has asked for it
        - ``terminate``: by SIGTERM, whether it has or not
        - ``kill``: by SIGKILL, and the kernel sends a FIN on every connection
        """
        await self.settled()
        function = self.function(name)
        environments, function.environments, function.free = function.environments, [], []
        return await asyncio.gather(*(environment.end(how) for environment in environments))

    def environments(self) -> Iterable[Environment]:
        """
        All live environments of all functions.
        """
        return itertools.chain.from_iterable(function.environments for function in list(self._functions.values()))

    def states(self) -> Mapping[State, int]:
        """
        Count the live environments of all functions by state; may be asked from another thread.
        """
        counts = Counter(environment.state for environment in self.environments())
        return {state: counts[state] for state in State if state is not State.ENDED}

    async def _take(self, function: Function) -> Environment:
        while function.free:
            environment = function.free.pop()
            if environment.name in self._settling:
                with _kept(function, environment):
                    # It settles even if this invocation is cancelled.
                    await asyncio.shield(self._settling[environment.name])
            if environment.state is not State.ENDED:
                return environment
        return await self._new_environment(function)

    async def _new_environment(self, function: Function) -> Environment:
        environment = Environment(
            f"{function.spec.name}-{next(_numbers)}",
            function.spec,
            spawner=await self._spawner(function.spec.monotonic),
            freezer=self.freezer,
            workspace=self._workspace,
        )
        function.environments.append(environment)
        return environment

    async def _spawner(self, monotonic: Monotonic) -> Spawner:
        """
        The process whose forks have this clock: it is loaded when a program starts, so it takes one of its own.
        """
        async with self._spawners_lock:
            if monotonic not in self._spawners:
                environ = self._workspace.environ()
                if monotonic == "stands-still":
                    environ["LD_PRELOAD"] = str(clock_library(self._workspace.directory))
                self._spawners[monotonic] = await Spawner(environ).__aenter__()
            return self._spawners[monotonic]

    async def _prepare(self, function: Function) -> Outcome | None:
        environment = await self._new_environment(function)
        async with self._runnable:
            failed = await environment.start()
            if failed is None and environment.state is State.IDLE:
                await environment.settle()
        if failed is None:
            function.free += [environment] * function.spec.workers
        else:
            function.drop(environment)
        return failed

    async def _run(self, function: Function, environment: Environment, invocation: Invocation) -> InvokeResult:
        arrived = time.perf_counter()
        log_start = environment.log.stat().st_size if environment.log.exists() else 0
        failed: Outcome | None = None
        init_ms: float | None = None
        if environment.state is State.STARTING:
            failed = await environment.start(request_id=invocation.request_id)
            init_ms = (time.perf_counter() - arrived) * 1000
            if failed is None:
                function.free += [environment] * (function.spec.workers - 1)
        if environment.state is State.SNAPSHOT:
            restoring = time.perf_counter()
            failed = await environment.restore(request_id=invocation.request_id)
            init_ms = (time.perf_counter() - restoring) * 1000
        environment.thaw()
        began = time.perf_counter()
        outcome = failed or await environment.invoke(invocation)
        answered = time.perf_counter()
        self.counters.invocations += 1
        self.counters.errors += outcome.error
        self.counters.cold_starts += init_ms is not None
        _give_back(function, environment, invocation)
        # One that serves several invocations settles after each of them.
        key = invocation.request_id if function.spec.managed else environment.name
        self._settling[key] = asyncio.create_task(self._settle(function, environment, key))
        return InvokeResult(
            request_id=invocation.request_id,
            payload=outcome.payload,
            function_error="Unhandled" if outcome.error else None,
            executed_version=function.spec.version,
            latency_ms=(answered - arrived) * 1000,
            duration_ms=(answered - began) * 1000,
            init_ms=init_ms,
            environment=environment.name,
            log_tail=_tail(environment, log_start),
        )

    async def _settle(self, function: Function, environment: Environment, key: str) -> None:
        try:
            if environment.state is not State.ENDED:
                await environment.settle()
        finally:
            self._runnable.release()
            del self._settling[key]
        if environment.state is State.ENDED:
            function.drop(environment)


def _give_back(function: Function, environment: Environment, invocation: Invocation) -> None:
    """
    Let the next invocation have the environment: at once, or when a managed instance's worker has answered too late.
    """
    if invocation.outcome.done() or not function.spec.managed:
        function.free.append(environment)
    else:
        invocation.outcome.add_done_callback(lambda _: function.free.append(environment))


@contextmanager
def _kept(function: Function, environment: Environment) -> Iterator[None]:
    """
    Leave an environment to the next invocation if the one that took it is cancelled before it has used it.
    """
    try:
        yield
    except asyncio.CancelledError:
        function.free.append(environment)
        raise


def _tail(environment: Environment, start: int) -> str:
    if not environment.log.exists():
        return ""
    with environment.log.open("rb") as file:
        file.seek(max(start, environment.log.stat().st_size - _LOG_TAIL_BYTES))
        return file.read().decode(errors="replace")
