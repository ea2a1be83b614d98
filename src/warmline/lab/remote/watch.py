"""
A user's own cluster, watched as the lab watches its own: who holds how many connections on which node.

Sources: https://www.mongodb.com/docs/manual/reference/operator/aggregation/currentOp/ (rights, and that Atlas's M0 and
Flex do not have it) and https://www.mongodb.com/docs/manual/reference/built-in-roles/ (``clusterMonitor``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from pymongo import MongoClient
from pymongo.errors import InvalidOperation, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from ..cluster.replica_set import APP_NAME
from ..errors import UnusableCluster
from ..measure import ConnectionSampler, sample

_SELECTION_MS = 5_000

# What leads to the whole cluster, and not to one of its nodes, or what is for a function's load.
_NOT_OF_A_NODE = {"replicaset", "directconnection", "appname", "srvmaxhosts", "srvservicename", "minpoolsize"}

_UNAUTHORIZED = 13


@dataclass(frozen=True, slots=True)
class Watched:
    """
    ``nodes`` maps a node's address to what it is called in results, the primary first; ``version`` is the server's.
    """

    sampler: ConnectionSampler
    nodes: dict[str, str]
    version: str


@contextmanager
def watch(uri: str) -> Iterator[Watched]:
    """
    Connect to every node of a cluster, see that its connections may be counted, and sample them until the block ends.

    :raises UnusableCluster: it can't be reached, or may not be watched by this user.
    """
    with ExitStack() as stack:
        try:
            # As they were written: validated ones have other units than those that a client takes.
            parsed = parse_uri(uri, validate=False)
            options = {name.lower(): value for name, value in parsed["options"].items()}
            if str(options.get("loadbalanced")).lower() == "true":
                raise UnusableCluster("the nodes of a cluster behind a load balancer can't be watched one by one")
            patience = options.pop("serverselectiontimeoutms", _SELECTION_MS)
            ours: dict[str, Any] = {"appName": APP_NAME, "serverSelectionTimeoutMS": patience}
            whole = stack.enter_context(MongoClient[dict[str, Any]](uri, **ours))
            version = whole.server_info()["version"]
            nodes = sorted(whole.nodes)
            of_a_node = {name: value for name, value in options.items() if name not in _NOT_OF_A_NODE}
            login = {name: parsed[name] for name in ("username", "password") if parsed[name]}
            clients = {}
            for host, port in nodes:
                clients[f"{host}:{port}"] = stack.enter_context(
                    MongoClient[dict[str, Any]](
                        host,
                        port,
                        directConnection=True,
                        serverMonitoringMode="poll",
                        **ours,
                        **of_a_node,
                        **login,
                    )
                )
            for name, client in clients.items():
                sample(name, client)
            roles = {name: client.admin.command("hello") for name, client in clients.items()}
        except OperationFailure as error:
            raise UnusableCluster(_refusal(error)) from None
        except (PyMongoError, InvalidOperation, ValueError) as error:
            raise UnusableCluster(f"the cluster can't be watched: {' '.join(str(error).split())}") from None
        with ConnectionSampler.of(clients) as sampler:
            yield Watched(sampler, _named(roles), version)


def _refusal(error: OperationFailure) -> str:
    told = error.details.get("errmsg") if error.details else None
    remedy = (
        "on Atlas no user of an M0 or Flex cluster may"
        if error.code != _UNAUTHORIZED
        else "give the user of --cluster-uri the role clusterMonitor"
    )
    return f"the cluster's connections may not be counted: {told or error}; {remedy}"


def _named(hellos: dict[str, dict[str, Any]]) -> dict[str, str]:
    """
    What the nodes are called: primary and secondaries by what they are now, or mongos.
    """
    primary = [name for name, hello in hellos.items() if hello.get("isWritablePrimary") and "msg" not in hello]
    mongos = [name for name, hello in hellos.items() if hello.get("msg") == "isdbgrid"]
    others = [name for name in hellos if name not in (*primary, *mongos)]
    return {
        **dict.fromkeys(primary, "primary"),
        **{name: f"secondary {number}" for number, name in enumerate(others, 1)},
        **{name: f"mongos {number}" for number, name in enumerate(mongos, 1)},
    }
