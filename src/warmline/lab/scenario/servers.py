"""
What the servers have seen of each function: every connection's life, and how many were open when.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from ..atlas import AtlasSpec
from ..cluster import Node
from ..experiments.bench import AtlasBench
from ..experiments.result import ConnectionSeries
from ..measure import NOT_CLIENTS, ConnectionLife, connection_lives, most_open
from .runs import Run, Samples

# A series shows the most connections that were open in each step.
_STEP_SECONDS = 0.1
_MOST_STEPS = 600


def node_groups(bench: AtlasBench, *, elects: bool) -> dict[str, tuple[Node, ...]]:
    """
    What the servers are called in a result; the one that counts most is first.

    Behind the faces of a sharded cluster they are one: a face's connections are the server's.

    :param elects: whether another server may have become primary on the way
    """
    servers = bench.cluster.servers
    if bench.cluster.spec.kind == "sharded":
        return {"all mongos": servers.nodes}
    suffix = " at first" if elects else ""
    in_order = sorted(servers.nodes, key=lambda node: bench.nodes[node.name])
    return {f"{bench.nodes[node.name]}{suffix}": (node,) for node in in_order}


@dataclass(frozen=True, slots=True)
class Servers:
    """
    What the servers have seen: the lives of all connections since the load's start, by what a server is called.

    A connection is the function's whose name it has, with a version maybe; with one function all are its own.
    """

    functions: tuple[str, ...]
    groups: Mapping[str, tuple[Node, ...]]
    lives: Mapping[str, tuple[ConnectionLife, ...]]
    spec: AtlasSpec

    @property
    def main(self) -> str:
        """
        The server that counts most.
        """
        return next(iter(self.groups))

    @property
    def limit(self) -> int | None:
        """
        What the tier allows on a node; behind the faces of a sharded cluster nobody counts them one by one.
        """
        return self.spec.limits.connections if self.spec.kind == "replica-set" else None

    def created(self, name: str) -> int:
        """
        How many connections a function has opened.
        """
        return sum(self._is_of(name, life.app) for of_node in self.lives.values() for life in of_node)

    def open(self, name: str, samples: Samples, label: str | None = None) -> int:
        """
        A function's open connections in these samples, on all servers or one.
        """
        nodes = {node.name for one, of_one in self.groups.items() if label in {None, one} for node in of_one}
        return sum(
            number
            for node, sample in samples.items()
            if node in nodes
            for app, number in sample.by_app.items()
            if self._is_of(name, app)
        )

    def series(self, name: str, run: Run) -> list[ConnectionSeries]:
        """
        A function's open connections on each server over time.
        """
        seconds = run.watched
        step = max(_STEP_SECONDS, seconds / _MOST_STEPS)
        series = []
        for label, lives in self.lives.items():
            mine = [life for life in lives if self._is_of(name, life.app)]
            counts = most_open(mine, time_of_day(run), seconds, step)
            moments = tuple(round(number * step, 3) for number in range(len(counts)))
            series.append(ConnectionSeries(name, label, moments, tuple(counts), self.limit))
        return series

    def _is_of(self, name: str, app: str) -> bool:
        if app in NOT_CLIENTS:
            return False
        return len(self.functions) == 1 or app == name or app.startswith(f"{name}:")


def lives_of(run: Run, groups: Mapping[str, tuple[Node, ...]]) -> dict[str, tuple[ConnectionLife, ...]]:
    """
    Read the lives of all connections from the servers' logs.
    """
    # What was there before belongs to the trials.
    began = time_of_day(run)
    return {
        label: tuple(life for node in nodes for life in connection_lives(node.log_path) if life.opened >= began)
        for label, nodes in groups.items()
    }


def time_of_day(run: Run) -> float:
    """
    The load's start as the servers' logs tell it.
    """
    return run.started + time.time() - time.monotonic()
