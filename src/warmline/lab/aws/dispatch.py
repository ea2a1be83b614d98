"""
Brings an invocation to an environment: a free one, or a new one, thawed for it and frozen after it.
"""

from __future__ import annotations

import asyncio
import itertools
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from ..network import Link, Switches
from ..workspace import Workspace
from .clock import clock_library
from .concurrency import ScalingRate, admit_environment
from .counters import Counters
from .cpu import CpuGroups
from .environment import Environment
from .freezer import Freezer
from .function import InvokeResult, Monotonic
from .invocation import Invocation, Outcome
from .processes import Spawner
from .reclamation import Reclamation
from .state import State
from .versions import Function, Version

# Counts through all services: logs and cgroups of one workspace are named after their environments.
_numbers = itertools.count(1)


class Dispatch:
    """
    Starts, uses and settles the environments of all versions.

    :param runnable: how many of them may run at the same time.
    """

    def __init__(self, workspace: Workspace, freezer: Freezer, runnable: int, counters: Counters) -> None:
        self._workspace = workspace
        self._freezer = freezer
        self._runnable = asyncio.Semaphore(runnable)
        self._counters = counters
        self._settling: dict[str, asyncio.Task[None]] = {}
        self._provisioning: dict[Version, asyncio.Task[Outcome | None]] = {}
        self._spawners: dict[Monotonic, Spawner] = {}
        self._spawners_lock = asyncio.Lock()
        self._switches: Switches | None = None
        self._cpus: CpuGroups | None = None
        self.reclamation = Reclamation()

    async def open(self) -> None:
        """
        Be ready to start environments: each takes four files of this process, and the soft limit is often 1,024.
        """
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        await self._spawner("runs")

    async def close(self) -> None:
        """
        End what starts environments; they must have ended.
        """
        await self.reclamation.finished()
        await asyncio.gather(*self._provisioning.values(), return_exceptions=True)
        for spawner in self._spawners.values():
            await spawner.__aexit__()
        if self._switches is not None:
            self._switches.close()

    def open_switches(self) -> Switches:
        """
        Be ready to give environments networks of their own.

        :raises NetworkUnavailable: that can't be done here.
        """
        if self._switches is None:
            self._switches = Switches(self._workspace)
        return self._switches

    def open_cpus(self) -> CpuGroups:
        """
        Be ready to give environments the share of a CPU that their memory buys.

        :raises CpuLimitUnavailable: that can't be done here.
        """
        if self._cpus is None:
            self._cpus = CpuGroups(self._workspace, self._freezer)
        return self._cpus

    async def serve(self, version: Version, invocation: Invocation, scaling: ScalingRate) -> InvokeResult:
        """
        Have an environment of this version answer.

        :raises Throttled: it takes a new environment, and the scaling rate does not allow one.
        """
        environment = await self._take(version, scaling)
        with _kept(version, environment):
            await self._runnable.acquire()
        try:
            return await self._run(version, environment, invocation)
        except BaseException:
            self._runnable.release()
            if version.spec.managed and environment.state is State.BUSY:
                # Its caller has gone, and the worker works on.
                _give_back(version, environment, invocation)
                raise
            # Cancelled, or a fault of the lab itself: this environment's state is unknown.
            version.drop(environment)
            await environment.kill()
            raise

    async def prepare(self, version: Version, *, provisioned: bool = False) -> Outcome | None:
        """
        Start an environment before there is an invocation for it; return ``None`` or how its Init has failed.
        """
        environment = await self._new_environment(version, provisioned=provisioned)
        async with self._runnable:
            if environment not in version.environments:
                # All of its version were ended while it waited for its turn.
                return None
            failed = await environment.start()
            if failed is None and environment.state is State.IDLE:
                await environment.settle()
        if failed is not None:
            await environment.kill()
            version.drop(environment)
        elif environment in version.environments:
            version.free += [environment] * version.spec.workers
        return failed

    def provision(self, version: Version) -> None:
        """
        Bring the version's provisioned environments to the number that is asked for.
        """
        if version.spec.provisioned_concurrency > len(version.provisioned) and version.fade_seconds is None:
            self._provisioning[version] = asyncio.create_task(self._provision(version))

    async def provisioned(self, version: Version) -> Outcome | None:
        """
        Wait until they are there; return ``None`` or how the Init of one of them has failed.
        """
        task = self._provisioning.get(version)
        return None if task is None else await asyncio.shield(task)

    async def started(self, function: Function) -> None:
        """
        Wait until none of a function's provisioned environments is just being started.
        """
        tasks = [task for version in function.versions if (task := self._provisioning.get(version)) is not None]
        if tasks:
            await asyncio.wait(tasks)

    async def settled(self) -> None:
        """
        Wait until every environment that has answered is frozen and free again.
        """
        # Those of now: under load there are always others.
        if self._settling:
            await asyncio.wait(tuple(self._settling.values()))

    async def _take(self, version: Version, scaling: ScalingRate) -> Environment:
        while (environment := version.take()) is not None:
            self.reclamation.works(environment)
            if environment.name in self._settling:
                with _kept(version, environment):
                    # It settles even if this invocation is cancelled.
                    await asyncio.shield(self._settling[environment.name])
            if environment.state is not State.ENDED:
                return environment
        admit_environment(version.spec, scaling)
        return await self._new_environment(version)

    async def _new_environment(self, version: Version, *, provisioned: bool = False) -> Environment:
        spec = replace(version.spec, initialization="provisioned-concurrency") if provisioned else version.spec
        environment = Environment(
            f"{spec.name}-{next(_numbers)}",
            spec,
            spawner=await self._spawner(spec.monotonic),
            freezer=self._freezer,
            workspace=self._workspace,
            link=await self._plug() if spec.network == "own" else None,
            cpus=self.open_cpus() if spec.cpu == "by-memory" else None,
        )
        version.environments.append(environment)
        if provisioned:
            version.provisioned.add(environment)
        return environment

    async def _plug(self) -> Link:
        plugging = asyncio.ensure_future(asyncio.to_thread(self.open_switches().plug))
        try:
            return await asyncio.shield(plugging)
        except asyncio.CancelledError:
            plugging.add_done_callback(lambda plugged: plugged.result().close())
            raise

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

    async def _provision(self, version: Version) -> Outcome | None:
        missing = version.spec.provisioned_concurrency - len(version.provisioned)
        failures = await asyncio.gather(*(self.prepare(version, provisioned=True) for _ in range(missing)))
        return next(filter(None, failures), None)

    async def _run(self, version: Version, environment: Environment, invocation: Invocation) -> InvokeResult:
        arrived = time.perf_counter()
        logged = environment.logged
        failed: Outcome | None = None
        restore_failed = False
        init_ms: float | None = None
        if environment.state is State.STARTING:
            failed = await environment.start(request_id=invocation.request_id)
            init_ms = (time.perf_counter() - arrived) * 1000
            if failed is None:
                version.free += [environment] * (version.spec.workers - 1)
            if environment.repeats_init:
                failed = None
        if environment.state is State.SNAPSHOT:
            restoring = time.perf_counter()
            failed = await environment.restore(request_id=invocation.request_id)
            restore_failed = failed is not None
            init_ms = (time.perf_counter() - restoring) * 1000
        environment.thaw()
        began = time.perf_counter()
        outcome = failed or await environment.invoke(invocation)
        answered = time.perf_counter()
        self._counters.invocations += 1
        self._counters.errors += outcome.error
        self._counters.cold_starts += init_ms is not None
        _give_back(version, environment, invocation)
        # One that serves several invocations settles after each of them.
        key = invocation.request_id if version.spec.managed else environment.name
        self._settling[key] = asyncio.create_task(self._settle(version, environment, key))
        return InvokeResult(
            request_id=invocation.request_id,
            payload=outcome.payload,
            function_error="Unhandled" if outcome.error else None,
            executed_version=version.spec.version,
            latency_ms=(answered - arrived) * 1000,
            duration_ms=(answered - began) * 1000,
            init_ms=init_ms,
            environment=environment.name,
            log_tail=environment.log_since(logged),
            restore_failed=restore_failed,
            reset=environment.is_spent,
        )

    async def _settle(self, version: Version, environment: Environment, key: str) -> None:
        try:
            if environment.state is not State.ENDED:
                await environment.settle()
        finally:
            self._runnable.release()
            del self._settling[key]
        if environment.state is State.ENDED:
            lost = environment in version.provisioned
            version.drop(environment)
            if lost:
                self.provision(version)
        else:
            self.reclamation.rests(version, environment)


def _give_back(version: Version, environment: Environment, invocation: Invocation) -> None:
    """
    Let the next invocation have the environment: at once, or when a managed instance's worker has answered too late.
    """
    if invocation.outcome.done() or not version.spec.managed:
        version.free.append(environment)
    else:
        invocation.outcome.add_done_callback(lambda _: version.free.append(environment))


@contextmanager
def _kept(version: Version, environment: Environment) -> Iterator[None]:
    """
    Leave an environment to the next invocation if the one that took it is cancelled before it has used it.
    """
    try:
        yield
    except asyncio.CancelledError:
        version.free.append(environment)
        raise
