"""
A cluster and a Lambda service for a user's own functions.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..aws import FunctionSpec, LambdaService, State
from ..cluster import Cluster, start_cluster
from ..errors import UnusableCluster
from ..measure.opened import OpenedConnections, open_sockets
from ..workspace import Workspace
from .function import with_uri

# The function's name and a number.
_ENVIRONMENT = re.compile(r"(.+)-(\d+)")

_SCHEMES = ("mongodb://", "mongodb+srv://")


@dataclass(frozen=True, slots=True)
class Session:
    """
    What is there to invoke functions with.

    - ``uri``: the cluster's connection string, a secret if it has a password
    - ``cluster``: the cluster in a few words
    """

    service: LambdaService
    uri: str = field(repr=False)
    cluster: str
    _logs: Path
    _opened: OpenedConnections | None = None
    _cluster: Cluster | None = None
    _deployed: set[str] = field(default_factory=set)

    def deploy(self, function: FunctionSpec) -> None:
        """
        Deploy a function with the cluster's connection string where its variables want it.

        Raises what ``LambdaService.deploy`` raises.
        """
        self.service.deploy(with_uri(function, self.uri))
        self._deployed.add(function.name)

    def update(self, function: FunctionSpec) -> None:
        """
        Deploy a function anew: the next invocation starts an environment, and the old ones end when they are idle.

        Raises what ``LambdaService.update`` raises.
        """
        self.service.update(function.name, with_uri(function, self.uri), fade_seconds=0)

    def check_running(self) -> None:
        """
        Raise ``ClusterStartError`` if one of the lab's servers has ended.
        """
        for mongod in self._cluster.mongods if self._cluster else ():
            mongod.check_running()

    def environment_logs(self) -> list[Path]:
        """
        Return the logs of all environments so far, in the order of their start.
        """
        logs = {log: _ENVIRONMENT.fullmatch(log.stem) for log in self._logs.glob("*.log")}
        ours = [(int(found[2]), log) for log, found in logs.items() if found and found[1] in self._deployed]
        return [log for _number, log in sorted(ours)]

    def connections(self) -> tuple[str, Mapping[str, int]]:
        """
        Count connections, and say what is counted.

        On the lab's cluster those opened since the last call, on each of its nodes. The logs of a user's are not at
        hand: there those that are open now, by the node's address.
        """
        if self._opened is not None:
            return "Connections opened", self._opened.since_last()
        # Of those that start some have no process yet, and those that were reset have none.
        without = {State.STARTING, State.RESET}
        started = (each.pid for each in self.service.environments() if each.state not in without)
        return "Connections open", open_sockets(started)


@asynccontextmanager
async def open_session(
    *, uri: str | None = None, mongod: Path | None = None, on_step: Callable[[str], None] = lambda _step: None
) -> AsyncIterator[Session]:
    """
    Start a cluster, unless the user has one, and a service; both end with the block.

    :param uri: the user's cluster
    :raises UnusableCluster: that is no connection string.
    """
    if uri is not None and not uri.startswith(_SCHEMES):
        raise UnusableCluster("the connection string begins neither with mongodb:// nor with mongodb+srv://")
    with Workspace() as workspace:
        if uri is not None:
            async with LambdaService(workspace) as service:
                yield Session(service, uri, "your cluster", workspace.logs)
            return
        # It waits for servers; meanwhile Ctrl-C and the progress go on.
        with await asyncio.to_thread(start_cluster, workspace, None, mongod, on_step) as cluster:
            opened = OpenedConnections({role: node.log_path for role, node in cluster.roles().items()})
            async with LambdaService(workspace) as service:
                about = f"{len(cluster.nodes)} x mongod {cluster.mongod_version}"
                yield Session(service, cluster.uri, about, workspace.logs, opened, cluster)
