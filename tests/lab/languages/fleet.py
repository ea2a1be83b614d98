"""
Some environments of a function in another language, and what they hold on each node.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import MongoClient

from warmline.lab.aws import Ending, FunctionSpec, InvokeResult, LambdaService
from warmline.lab.cluster import Cluster
from warmline.lab.measure import ConnectionSampler
from warmline.lab.measure.opened import OpenedConnections
from warmline.lab.workspace import Workspace

ENVIRONMENTS = 3
ROUNDS = 3

# The connections that a driver with one monitor for each member holds: one operation at a time goes to the primary.
POLLING = {"primary": 2, "secondary 1": 1, "secondary 2": 1}

# The members hear of a connection's end within this time.
_GONE_SECONDS = 10


@dataclass(frozen=True)
class Seen:
    """
    What came of it: the answers, and connections by the node, opened by all, open while all are frozen, and left.
    """

    results: list[InvokeResult]
    opened: Mapping[str, int]
    frozen: Mapping[str, int]
    left: Mapping[str, int]
    endings: list[Ending]
    logs: list[str]

    @property
    def answers(self) -> list[Any]:
        """
        The payloads, none of which is an error.
        """
        assert [result.payload for result in self.results if result.function_error] == []
        return [json.loads(result.payload) for result in self.results]


def run_fleet(cluster: Cluster, function: FunctionSpec) -> Seen:
    """
    Invoke every environment of a function some times, frozen in between, and shut them down.
    """
    with MongoClient[dict[str, Any]](cluster.uri, appName="warmline-lab") as client:
        orders = client["shop"]["orders"]
        orders.drop()
        orders.insert_many([{"_id": number, "total": number * 10} for number in range(ENVIRONMENTS * ROUNDS)])
    opened = OpenedConnections({role: node.log_path for role, node in cluster.roles().items()})
    roles = {node.name: role for role, node in cluster.roles().items()}

    async def run() -> Seen:
        with Workspace() as workspace, ConnectionSampler(cluster.nodes) as sampler:

            def open_now() -> dict[str, int]:
                return {roles[node]: sample.by_app.get(function.name, 0) for node, sample in sampler.now().items()}

            async with LambdaService(workspace) as service:
                service.deploy(function)
                results: list[InvokeResult] = []
                for number in range(ROUNDS):
                    events = [{"id": number * ENVIRONMENTS + each} for each in range(ENVIRONMENTS)]
                    results += await asyncio.gather(
                        *(service.invoke(function.name, json.dumps(event).encode()) for event in events)
                    )
                    await service.settled()
                frozen = await asyncio.to_thread(open_now)
                endings = await service.end(function.name, how="shutdown")
                left = await asyncio.to_thread(open_now)
                async with asyncio.timeout(_GONE_SECONDS):
                    while sum(left.values()):
                        left = await asyncio.to_thread(open_now)
                logs = [log.read_text() for log in sorted(workspace.logs.glob(f"{function.name}-*.log"))]
                return Seen(results, opened.since_last(), frozen, left, endings, logs)

    return asyncio.run(run())


def fleet_of(function: Mapping[str, int]) -> dict[str, int]:
    """
    What all environments hold if each holds this.
    """
    return {node: count * ENVIRONMENTS for node, count in function.items()}
