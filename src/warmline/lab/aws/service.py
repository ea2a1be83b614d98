"""
The Lambda service in miniature: deployed functions, their versions and aliases, and who may be invoked now.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..errors import InitFailed, Throttled, UnknownFunction, UnusableFunction
from ..workspace import Workspace
from .clock import clock_library
from .command import find_command
from .concurrency import Quotas, ScalingRate, admit, check_reservation
from .counters import Counters
from .dispatch import Dispatch
from .environment import Environment, check_destroyable
from .extensions import extension_files
from .freezer import Freezer, best_freezer
from .function import FunctionSpec, InvokeResult
from .invocation import Invocation, Outcome
from .reclamation import FADE_SECONDS
from .state import Ending, How, State
from .versions import Alias, Function, Version


class LambdaService:
    """
    Deploys and invokes functions. ``async with`` starts it, and ends every environment with it.

    :param runnable: how many environments may run at the same time, all others being frozen or waiting to start. On
        AWS each has a CPU of its own; here they share this machine's, so by default two for each core, which keeps
        an environment's latency its own.
    :param quotas: how many invocations may run at the same time, and how fast environments may be added.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        freezer: Freezer | None = None,
        runnable: int | None = None,
        quotas: Quotas | None = None,
    ) -> None:
        self._workspace = workspace
        self.freezer = freezer or best_freezer(workspace)
        self.counters = Counters()
        self._quotas = quotas or Quotas()
        self._functions: dict[str, Function] = {}
        self._dispatch = Dispatch(workspace, self.freezer, runnable or 2 * (os.cpu_count() or 1), self.counters)

    async def __aenter__(self) -> LambdaService:
        await self._dispatch.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in list(self._functions):
            await self.end(name, how="kill")
        await self._dispatch.close()

    def deploy(self, spec: FunctionSpec) -> None:
        """
        Make a function known; its environments start as invocations need them. One that is known is updated.

        :raises UnusableFunction: its code is no folder, its command can't be run, its extensions are none, its clock or
            its network can't be had here, or it reserves more than the account has.
        """
        if spec.name in self._functions:
            self.update(spec.name, spec)
            return
        function = Function(self._checked(spec), ScalingRate(self._quotas.scaling))
        self._functions[spec.name] = function
        self._dispatch.provision(function.latest)

    def update(self, name: str, spec: FunctionSpec, *, fade_seconds: float = FADE_SECONDS) -> None:
        """
        Deploy a function anew: the next invocations start new environments, the old ones finish what they run.

        :param fade_seconds: how long an old environment stays that has nothing to do, before it is shut down. AWS does
            not document it.
        :raises UnusableFunction: as `deploy` does.
        """
        function = self.function(name)
        old = function.replace(self._checked(replace(spec, name=name)), fade_seconds)
        self._dispatch.reclamation.fade(old)
        self._dispatch.provision(function.latest)

    def publish(self, name: str, *, provisioned_concurrency: int = 0) -> str:
        """
        Publish what is deployed as a version with environments of its own, and return its number.
        """
        version = self.function(name).publish(provisioned_concurrency)
        self._dispatch.provision(version)
        return version.spec.version

    def alias(self, name: str, alias: str, version: str, *, weights: Mapping[str, float] | None = None) -> None:
        """
        Give a version another name, or point that name to another version.

        :param weights: a second version, and the share of the invocations that goes to it, from 0 to 1.
        :raises UnusableFunction: the alias is none that Lambda takes.
        :raises UnknownFunction: there is no such version.
        """
        self.function(name).alias(alias, Alias(version, dict(weights or {})))

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

    def version(self, name: str) -> Version:
        """
        Find the version that an invocation of this name goes to: ``name``, ``name:version`` or ``name:alias``.

        :raises UnknownFunction: there is none.
        """
        name, _, qualifier = name.partition(":")
        return self.function(name).resolve(qualifier or None)

    async def prepare(self, name: str, environments: int) -> None:
        """
        Do what Lambda does before the first invocation: take snapshots, or start managed instances.

        On AWS many environments are restored from one snapshot. Here a process can't be copied, so each snapshot is
        of a process of its own and is restored once.

        :raises InitFailed: the function's Init phase failed, as publishing it would on AWS.
        """
        version = self.version(name)
        failures = await asyncio.gather(*(self._dispatch.prepare(version) for _ in range(environments)))
        self._raise_first(name, failures)

    async def provisioned(self, name: str) -> None:
        """
        Wait until the provisioned concurrency of a version is there; until then invocations start other environments.

        :raises InitFailed: the Init phase of one of them failed.
        """
        self._raise_first(name, [await self._dispatch.provisioned(self.version(name))])

    async def invoke(self, name: str, payload: bytes = b"{}", *, client_context: str | None = None) -> InvokeResult:
        """
        Invoke a function and wait for its answer, whatever it is; an error of the function is a result too.

        :param name: of a function, or of one of its versions or aliases: ``name:version``, ``name:alias``.
        :raises Throttled: a limit of Lambda's allows no other invocation now.
        """
        version = self.version(name)
        function = self._functions[version.spec.name]
        arn = version.spec.arn + name.removeprefix(version.spec.name)
        try:
            admit(function, version, self._functions.values(), self._quotas)
            version.in_flight += 1
            try:
                invocation = Invocation(payload, arn=arn, client_context=client_context)
                return await self._dispatch.serve(version, invocation, function.scaling)
            finally:
                version.in_flight -= 1
        except Throttled:
            self.counters.throttles += 1
            raise

    async def settled(self) -> None:
        """
        Wait until every environment that has answered is frozen and free again.
        """
        await self._dispatch.settled()

    async def end(self, name: str, *, how: How) -> list[Ending]:
        """
        End all of a function's environments, in one of these ways:

        - ``shutdown``: by Lambda's Shutdown phase, as each has asked for it; one that has not, with a network of its
          own, is destroyed
        - ``terminate``: by SIGTERM, whether it has or not
        - ``kill``: by SIGKILL, and the kernel sends a FIN on every connection
        - ``destroy``: without any sign to the servers, which keep the connections; for functions with networks of
          their own

        :raises UnusableFunction: its environments can't be destroyed; they go on.
        """
        await self.settled()
        function = self.function(name)
        if how == "destroy":
            for environment in function.environments:
                check_destroyable(environment.function)
        environments = function.forget()
        await self._dispatch.started(function)
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

    def _checked(self, spec: FunctionSpec) -> FunctionSpec:
        if not spec.code.is_dir():
            raise UnusableFunction(
                f"the code of function {spec.name} is no folder: {spec.code}; name the one with its handler"
            )
        if spec.initialization == "provisioned-concurrency":
            raise UnusableFunction(
                f"function {spec.name} can't have that initialization for all its environments: set "
                "provisioned_concurrency"
            )
        extension_files(spec)
        if spec.monotonic == "stands-still":
            clock_library(self._workspace.directory)
        if spec.network == "own":
            self._dispatch.open_switches()
        if spec.cpu == "by-memory":
            self._dispatch.open_cpus()
        check_reservation(spec, self._functions.values(), self._quotas)
        return replace(spec, code=spec.code.resolve(), command=find_command(spec))

    def _raise_first(self, name: str, failures: Iterable[Outcome | None]) -> None:
        for failed in filter(None, failures):
            raise InitFailed(f"Init of {name} failed: {failed.payload.decode()}; the log is in {self._workspace.logs}")
