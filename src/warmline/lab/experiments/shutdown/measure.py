"""
The measurement: environments are started and ended one after the other, and the servers' logs tell what they held.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from ...atlas import AtlasCluster, AtlasSpec
from ...atlas.front import CLEAR, Network
from ...aws import Ending, Environment, Freezer, FunctionSpec, SignalFreezer, best_freezer
from ...aws.invocation import Invocation, Outcome
from ...aws.processes import Spawner
from ...cluster.replica_set import connect_to
from ...errors import EnvironmentStartError
from ...measure import connection_lives
from ...workspace import Workspace
from ..bench import open_atlas
from ..experiment import OnProgress, RunOptions
from .cases import VARIANTS, Case, Plan, Situation, Variant

_FUNCTIONS = Path(__file__).parents[1] / "functions" / "shutdown"

# Where the connections come from that lose their network.
_DEAD_ADDRESS = "127.150.0.1"

# After its answer the runtime asks for the next event; and a freeze lasts a while.
_QUIET_SECONDS = 0.05
# Long enough for an operation to be anywhere in the client's code.
_LONGEST_BUSY_SECONDS = 0.05
_PATIENCE_SECONDS = 10.0
# The kernel's part of an end, and the log's.
_AFTER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Ended:
    """
    One ending: how the process ended, how many of its connections the servers kept, and how long it had any.
    """

    variant: Variant
    case: Case
    exit_code: int
    left: int
    milliseconds: float

    @property
    def clean(self) -> bool:
        """
        Whether it ended by itself and left nothing.
        """
        return self.exit_code == 0 and self.left == 0


@dataclass(frozen=True, slots=True)
class Measurement:
    """
    All of it, and what it was measured on.
    """

    ended: tuple[Ended, ...]
    plan: Plan
    freezer: str
    mongod_version: str


@dataclass(frozen=True, slots=True)
class _Note:
    """
    What is known of an ending before the logs are read: the name on its connections, and when SIGTERM was sent.
    """

    variant: Variant
    case: Case
    app: str
    signalled: float
    ending: Ending


@dataclass(frozen=True, slots=True)
class _Lab:
    """
    What endings need.
    """

    workspace: Workspace
    cluster: AtlasCluster
    spawner: Spawner
    freezer: Freezer
    options: RunOptions
    primary: MongoClient[dict[str, Any]]

    async def end_one(self, variant: Variant, case: Case, number: int) -> _Note:
        """
        Start an environment, have it serve one event, and end it in this situation.
        """
        name = f"shutdown-{variant.name}-{case.name.replace('_', '-')}-{number}"
        app = f"{name}:$LATEST" if variant.names_itself else name
        situation = case.situation
        environment = Environment(
            name,
            self._function(name, variant, case),
            spawner=self.spawner,
            freezer=SignalFreezer() if situation.freezer == "signal" else self.freezer,
            workspace=self.workspace,
        )
        try:
            _check_started(await environment.start(), environment)
            await environment.invoke(_event("answer"))
            serving = await self._prepare(environment, situation, app)
            signalled = time.time()
            ending = await environment.shutdown()
            if serving is not None:
                await serving
        except BaseException:
            await environment.kill()
            raise
        finally:
            if not situation.network:
                self.cluster.lay(CLEAR, source=_DEAD_ADDRESS)
        return _Note(variant, case, app, signalled, ending)

    def _function(self, name: str, variant: Variant, case: Case) -> FunctionSpec:
        option = "" if variant.names_itself else f"appName={name}"
        if case.situation.network:
            # To the servers themselves: a front would end a connection in its own way.
            uri = self.cluster.servers.uri
            variables = {"MONGODB_URI": f"{uri}&{option}" if option else uri}
        else:
            uri = self.cluster.uri(options=option)
            variables = self.cluster.environ({"MONGODB_URI": uri}, egress=_DEAD_ADDRESS)
        return FunctionSpec(
            name=name,
            code=_FUNCTIONS,
            handler=f"{variant.handler}.lambda_handler",
            environment=variables,
            timeout_seconds=60,
            runtime=case.waiting.runtime,
            start=self.options.start,
        )

    async def _prepare(self, environment: Environment, situation: Situation, app: str) -> asyncio.Task[Any] | None:
        """
        Bring the environment into the situation; return the invocation that it is serving then.
        """
        if situation.during is not None:
            serving = asyncio.create_task(environment.invoke(_event(situation.during)))
            if situation.during == "wait":
                await _until(lambda: self._operates(app))
            else:
                await asyncio.sleep(random.uniform(0.01, _LONGEST_BUSY_SECONDS))  # noqa: S311  no secret
            return serving
        if situation.freezer is not None:
            await environment.settle()
        if not situation.network:
            self.cluster.lay(Network(black_hole="all"), source=_DEAD_ADDRESS)
        await asyncio.sleep(_QUIET_SECONDS)
        return None

    def _operates(self, app: str) -> bool:
        active = {"$match": {"appName": app, "active": True, "op": "query"}}
        return bool(list(self.primary.admin.aggregate([{"$currentOp": {"allUsers": True}}, active])))


async def measure(plan: Plan, options: RunOptions, on_progress: OnProgress) -> Measurement:
    """
    Run the plan; without a cgroup to write to, its freezer is left out.
    """
    on_progress("starting the cluster", 0.0)
    opening = open_atlas(options, AtlasSpec(through_front=True), lambda step: on_progress(step, 0.02))
    async with opening as (workspace, cluster):
        freezer = best_freezer(workspace)
        plan = _possible(plan, freezer)
        rounds = [(variant, case, count) for variant in VARIANTS for case, count in plan.rounds(variant)]
        total = sum(count for _, _, count in rounds)
        notes: list[_Note] = []
        with ExitStack() as stack:
            primary = stack.enter_context(connect_to(cluster.servers.primary()))
            async with Spawner(workspace.environ()) as spawner:
                lab = _Lab(workspace, cluster, spawner, freezer, options, primary)
                for variant, case, count in rounds:
                    for number in range(count):
                        doing = f"{variant.label}: {case.label}, {number + 1} of {count}"
                        on_progress(doing, 0.05 + 0.94 * len(notes) / total)
                        notes.append(await lab.end_one(variant, case, number))
        on_progress("reading the servers' logs", 0.99)
        await asyncio.sleep(_AFTER_SECONDS)
        ends = _ends(cluster)
        return Measurement(
            tuple(_ended(note, ends[note.app]) for note in notes), plan, freezer.name, cluster.servers.mongod_version
        )


def _possible(plan: Plan, best: Freezer) -> Plan:
    situations = tuple(one for one in plan.situations if one.freezer in {None, "signal", best.name})
    return Plan(plan.endings, situations)


def _check_started(failed: Outcome | None, environment: Environment) -> None:
    if failed is not None:
        raise EnvironmentStartError(
            f"{environment.name} did not start: {failed.payload.decode()}; its log is {environment.log}"
        )


def _event(do: str) -> Invocation:
    return Invocation(json.dumps({"do": do}).encode())


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110  it comes true in another process
            await asyncio.sleep(0.01)


def _ends(cluster: AtlasCluster) -> dict[str, list[float]]:
    """
    When the connections ended (wall clock, infinite if they did not), by the name on them.
    """
    ends: dict[str, list[float]] = defaultdict(list)
    for node in cluster.servers.nodes:
        for life in connection_lives(node.log_path):
            ends[life.app].append(life.ended)
    return ends


def _ended(note: _Note, ends: list[float]) -> Ended:
    left = sum(end == float("inf") for end in ends)
    # On a dead network the servers learn of it when the network is back: what can be compared is the process's end.
    milliseconds = (max(ends) - note.signalled) * 1000 if note.case.situation.network else note.ending.milliseconds
    return Ended(note.variant, note.case, note.ending.exit_code, left, milliseconds)
