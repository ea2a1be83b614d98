"""
Who holds how many connections, asked from the servers: open now, and at most so far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import MongoClient

from ..lab.cluster import Node
from ..lab.cluster.replica_set import APP_NAME
from ..lab.measure import ConnectionLife, connection_lives, most_open
from ..lab.measure.opened import INTERNAL_DRIVERS

_SERVERS_OWN = f"^({'|'.join(INTERNAL_DRIVERS)})"

# The names of clients, or None of one without a name. Left out are the lab's own clients and the members' among
# themselves, whose drivers are the server's.
_BY_NAME: list[Mapping[str, Any]] = [
    {"$currentOp": {"allUsers": True, "idleConnections": True}},
    {
        "$match": {
            "type": "op",
            "appName": {"$ne": APP_NAME},
            "clientMetadata.driver.name": {
                "$exists": True,
                "$not": {"$regex": "^(NetworkInterfaceTL|MongoDB Internal)"},
            },
        }
    },
    {"$group": {"_id": {"$ifNull": ["$appName", None]}, "connections": {"$sum": 1}}},
]


@dataclass(frozen=True, slots=True)
class Connections:
    """
    Numbers of connections by the role that each member of the replica set has now.
    """

    primary: int
    secondaries: tuple[int, ...]

    @property
    def total(self) -> int:
        """
        On all members.
        """
        return self.primary + sum(self.secondaries)


def open_by_name(client: MongoClient[dict[str, Any]]) -> dict[str | None, int]:
    """
    Count the connections that a server has open by the ``appName`` of their client.
    """
    return {group["_id"]: group["connections"] for group in client.admin.aggregate(_BY_NAME)}


def peak(lives: Sequence[ConnectionLife], now: float) -> int:
    """
    The most of these connections that were open at the same time.
    """
    if not lives:
        return 0
    first = min(life.opened for life in lives)
    # One step that ends after the last change.
    span = max(now, *(life.opened for life in lives)) - first + 1
    return max(most_open(lives, first, span, span))


def named(name: str, node: Node) -> list[ConnectionLife]:
    """
    All connections that clients with this ``appName`` have ever had to a server.
    """
    return [life for life in connection_lives(node.log_path) if life.app == name]
