"""
A replica set for tests: where it is, what it holds, and what can happen to it.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

from pymongo import MongoClient

from ..lab.cluster import Cluster, ClusterSpec, connect_to, start_cluster
from ..lab.cluster.faults import primary_mongod, restart, step_down, wait_until_whole
from ..lab.workspace import Workspace
from .connections import Connections, named, open_by_name, peak

# The test's own client, which is nobody's fleet.
TESTS = "warmline-tests"

# An election takes ten seconds where the primary does not hand its office over.
_WHOLE_SECONDS = 60.0


class MongoCluster:
    """
    A running replica set, the same for all tests of a session.
    """

    def __init__(self, workspace: Workspace, spec: ClusterSpec) -> None:
        self._workspace = workspace
        self._spec = spec

    def __enter__(self) -> MongoCluster:
        with ExitStack() as stack:
            self._servers = stack.enter_context(start_cluster(self._workspace, self._spec))
            self._watchers = {node: stack.enter_context(connect_to(node)) for node in self._servers.nodes}
            self._client = stack.enter_context(MongoClient[dict[str, Any]](self.uri, appName=TESTS))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __repr__(self) -> str:
        return f"Mongo{self._servers!r}"

    @property
    def servers(self) -> Cluster:
        """
        The lab's own object, for what this one does not do.
        """
        return self._servers

    @property
    def uri(self) -> str:
        """
        The connection string, with a password in it if the cluster has users.
        """
        return self._servers.uri

    @property
    def client(self) -> MongoClient[dict[str, Any]]:
        """
        A client for the test itself: to put documents there, and to look at them.
        """
        return self._client

    def step_down(self) -> None:
        """
        Have the primary hand its office over, and wait until another one has it and all others follow.
        """
        step_down(self._servers)
        wait_until_whole(self._servers, _WHOLE_SECONDS)

    def restart_primary(self) -> None:
        """
        Stop the primary in good order and start it again, and wait until the set is whole.
        """
        restart(primary_mongod(self._servers))
        wait_until_whole(self._servers, _WHOLE_SECONDS)

    def open_by_name(self) -> tuple[dict[str | None, int], ...]:
        """
        For each member, the primary first: its open connections by the ``appName`` of their client.
        """
        return tuple(open_by_name(self._watchers[node]) for node in self._servers.roles().values())

    def peak(self, name: str) -> Connections:
        """
        The most connections of clients with this ``appName`` that each member has ever had open at once.
        """
        now = time.time()
        primary, *others = (peak(named(name, node), now) for node in self._servers.roles().values())
        return Connections(primary, tuple(others))

    def created(self, name: str) -> int:
        """
        How many connections of clients with this ``appName`` all members have accepted.
        """
        return sum(len(named(name, node)) for node in self._servers.nodes)
