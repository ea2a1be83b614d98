"""
Who holds how many connections on which node, asked from the servers again and again.

Sources: https://www.mongodb.com/docs/manual/reference/operator/aggregation/currentOp/ (``idleConnections``) and
https://www.mongodb.com/docs/manual/reference/command/serverStatus/ (``connections``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from ..cluster import Node
from ..cluster.replica_set import APP_NAME, connect_to

# A client that names no application, but says that it runs on Lambda, as drivers do.
# Source: https://github.com/mongodb/specifications/blob/master/source/mongodb-handshake/handshake.md (``client.env``)
UNNAMED = "aws.lambda"

# The lab's own connections, and those of the members among themselves, where these name an application at all.
NOT_CLIENTS = (APP_NAME, "OplogFetcher")

# Grouped by the server, so that a sample is a few lines whatever the number of connections.
_BY_APP: list[Mapping[str, Any]] = [
    # Local: on a mongos those of its own clients; a mongod has no others.
    {"$currentOp": {"allUsers": True, "idleConnections": True, "localOps": True}},
    {"$match": {"type": "op", "appName": {"$nin": list(NOT_CLIENTS)}}},
    {"$match": {"$or": [{"appName": {"$exists": True}}, {"clientMetadata.env.name": UNNAMED}]}},
    {"$group": {"_id": {"$ifNull": ["$appName", UNNAMED]}, "connections": {"$sum": 1}}},
]


# What a sample costs the servers grows with their connections, and must not become a load of its own.
_PAUSE_TO_SAMPLE = 19


@dataclass(frozen=True, slots=True)
class ConnectionSample:
    """
    One node at one moment (``seconds`` on the monotonic clock).

    ``by_app`` counts open connections by the ``appName`` of their client, those of Lambda functions without one as
    ``UNNAMED``. ``current`` and ``total_created`` are the server's own counters, over all connections, the lab's and
    the members' included.
    """

    seconds: float
    node: str
    by_app: Mapping[str, int]
    current: int
    total_created: int


class ConnectionSampler:
    """
    Samples all nodes from a thread of its own while its ``with`` block runs.

    It holds a connection or two to each node, opened before the block is entered. Where there are thousands of
    connections it samples less often, so that it takes a twentieth of the time at most.
    """

    def __init__(self, nodes: Sequence[Node], *, interval_seconds: float = 0.2) -> None:
        self._interval = interval_seconds
        self._clients = [(node.name, connect_to(node)) for node in nodes]
        self._samples: list[ConnectionSample] = []
        self._latest: Mapping[str, ConnectionSample] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="warmline-sampler", daemon=True)

    @classmethod
    def of(cls, clients: Mapping[str, MongoClient[dict[str, Any]]]) -> ConnectionSampler:
        """
        Sample by clients that are there, each of one node; the block's end closes them.
        """
        sampler = cls(())
        sampler._clients = list(clients.items())
        return sampler

    def __enter__(self) -> ConnectionSampler:
        self.now()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        for _name, client in self._clients:
            client.close()

    @property
    def samples(self) -> tuple[ConnectionSample, ...]:
        """
        All samples so far, oldest first.
        """
        return tuple(self._samples)

    @property
    def latest(self) -> Mapping[str, ConnectionSample]:
        """
        The last sample of each node that was up then, by the node's name; asks no server.
        """
        return self._latest

    def now(self) -> Mapping[str, ConnectionSample]:
        """
        Sample every node at once, and return the samples by the node's name; a node that is down is left out.
        """
        samples = {}
        for name, client in self._clients:
            try:
                samples[name] = sample(name, client)
            except PyMongoError:
                # It is down, or being elected: a gap in the series is the truth.
                continue
        self._samples.extend(samples.values())
        self._latest = samples
        return samples

    def _run(self) -> None:
        pause = self._interval
        while not self._stopped.wait(pause):
            began = time.monotonic()
            self.now()
            pause = max(self._interval, (time.monotonic() - began) * _PAUSE_TO_SAMPLE)


def sample(name: str, client: MongoClient[dict[str, Any]]) -> ConnectionSample:
    """
    Sample one node by a client of it.

    :raises PyMongoError: it is down, or does not let its connections be counted.
    """
    by_app = {group["_id"]: group["connections"] for group in client.admin.aggregate(_BY_APP)}
    # Only the counters: the whole document takes the server longer than all the rest.
    counters = client.admin.command("serverStatus", repl=0, metrics=0, locks=0, wiredTiger=0, tcmalloc=0)["connections"]
    return ConnectionSample(time.monotonic(), name, by_app, counters["current"], counters["totalCreated"])
