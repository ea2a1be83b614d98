"""
A replica set on loopback, from nothing to ready in seconds.
"""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from warmline.lab.cluster.binary import MongodBinary, find_mongod
from warmline.lab.cluster.mongod import LOOPBACK, Mongod, Node
from warmline.lab.errors import ClusterStartError, NoPrimary, PortTaken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

    from warmline.lab.workspace import Workspace

REPLICA_SET = "warmline"
APP_NAME = "warmline-lab"

SETTINGS = {
    # MongoDB's default, and not less: a busy small machine misses heartbeats, and must not hold an election for it
    # in the middle of a measurement.
    "electionTimeoutMillis": 10_000,
    # The default of 2 s is how long members would take to hear of each other's progress.
    "heartbeatIntervalMillis": 200,
}

START_TRIES = 3
READY_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.01
# For a member that is frozen or overloaded.
ASK_TIMEOUT_MS = 2_000


@dataclass(frozen=True)
class ClusterSpec:
    """
    What to start: as many data-bearing, voting members as MongoDB elects well with.
    """

    members: int = 3

    def __post_init__(self) -> None:
        if self.members not in {1, 3, 5, 7}:
            msg = f"a cluster has 1, 3, 5 or 7 members, not {self.members}: an even number elects worse, 7 may vote"
            raise ValueError(msg)


class Cluster:
    """
    A running replica set; stopped at the end of its `with` block.
    """

    def __init__(self, binary: MongodBinary, mongods: tuple[Mongod, ...]) -> None:
        self.mongods = mongods
        self.nodes = tuple(mongod.node for mongod in mongods)
        self.mongod_version = binary.version

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def uri(self) -> str:
        """
        The connection string with all members, plain and without a user.
        """
        return f"mongodb://{','.join(node.address for node in self.nodes)}/?replicaSet={REPLICA_SET}"

    def primary(self) -> Node:
        """
        Ask the members which of them is primary now; raise `NoPrimary` if none is.
        """
        for node, hello in self._ask():
            if hello.get("isWritablePrimary"):
                return node
        msg = f"none of {', '.join(node.address for node in self.nodes)} is primary: wait for an election, or restart"
        raise NoPrimary(msg)

    def secondaries(self) -> tuple[Node, ...]:
        """
        Ask the members which of them are secondaries now.
        """
        return tuple(node for node, hello in self._ask() if hello.get("secondary"))

    def stop(self) -> None:
        """
        Kill the servers and throw their data away.
        """
        for mongod in self.mongods:
            mongod.stop()

    def _ask(self) -> Iterator[tuple[Node, dict[str, Any]]]:
        for node in self.nodes:
            with closing(connect_to(node)) as client:
                yield node, hello(client)


def start_cluster(
    workspace: Workspace,
    spec: ClusterSpec | None = None,
    mongod: str | Path | None = None,
    on_step: Callable[[str], None] = lambda _step: None,
) -> Cluster:
    """
    Start a replica set and return it when every member has replicated a write.

    `mongod` is the path of a server, as for `find_mongod`; `on_step` hears what is being waited for.
    Raises `MongodNotFound`, `MongodUnusable` or `ClusterStartError`.
    """
    spec = spec or ClusterSpec()
    binary = find_mongod(mongod)
    for _ in range(START_TRIES - 1):
        try:
            return _start_once(workspace, spec, binary, on_step)
        except PortTaken:
            on_step("a port was taken in the meantime, trying others")
    return _start_once(workspace, spec, binary, on_step)


def _start_once(
    workspace: Workspace, spec: ClusterSpec, binary: MongodBinary, on_step: Callable[[str], None]
) -> Cluster:
    with ExitStack() as on_failure:
        on_step(f"starting {spec.members} x mongod {binary.version}")
        mongods = []
        for index, port in enumerate(free_ports(spec.members)):
            mongod = Mongod(binary, workspace, name=f"mongod-{index}", port=port, replica_set=REPLICA_SET)
            on_failure.callback(mongod.stop)
            mongods.append(mongod)
        for mongod in mongods:
            mongod.wait_until_listening()
        _form_replica_set(mongods, on_step)
        on_failure.pop_all()
    return Cluster(binary, tuple(mongods))


def _form_replica_set(mongods: list[Mongod], on_step: Callable[[str], None]) -> None:
    """
    Make the servers one replica set that is ready for use.

    A set of one elects itself at once, whatever its settings; then the others join. Forming it of all members would
    need a low election timeout, and a second reconfiguration, half a second long, to raise it again.
    """
    members = [{"_id": index, "host": mongod.address} for index, mongod in enumerate(mongods)]
    with ExitStack() as clients:
        connected = [clients.enter_context(closing(connect_to(mongod.node))) for mongod in mongods]
        first = connected[0]

        on_step("electing the primary")
        config = {"_id": REPLICA_SET, "version": 1, "members": members[:1], "settings": SETTINGS}
        _command(mongods[0], first, {"replSetInitiate": config})
        _wait_until(lambda: hello(first).get("isWritablePrimary"), mongods)

        if len(members) > 1:
            on_step(f"adding {len(members) - 1} secondaries")
            config |= {"version": 2, "members": members}
            # Forced, because otherwise members join one by one.
            _command(mongods[0], first, {"replSetReconfig": config, "force": True})
            _wait_until(lambda: all(_has_primary(hello(client)) for client in connected), mongods)

        # A member that calls itself a secondary has its copy, but takes up to a second more to follow the primary.
        on_step("waiting for a write to reach every member")
        concern = {"w": len(members), "wtimeout": 1_000}
        note = {"appendOplogNote": 1, "data": {"warmline": "ready"}, "writeConcern": concern}
        _wait_until(lambda: "writeConcernError" not in _command(mongods[0], first, note), mongods)


def _has_primary(answer: dict[str, Any]) -> bool:
    return "primary" in answer and bool(answer.get("isWritablePrimary") or answer.get("secondary"))


def _wait_until(condition: Callable[[], object], mongods: list[Mongod]) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_SECONDS
    while not condition():
        for mongod in mongods:
            mongod.check_running()
        if time.monotonic() > deadline:
            msg = (
                f"the replica set was not ready within {READY_TIMEOUT_SECONDS:.0f} s: is the machine overloaded?"
                f" its logs are in {mongods[0].node.log_path.parent}"
            )
            raise ClusterStartError(msg)
        time.sleep(POLL_SECONDS)


def _command(mongod: Mongod, client: MongoClient[dict[str, Any]], command: dict[str, Any]) -> dict[str, Any]:
    try:
        return client.admin.command(command)
    except PyMongoError as error:
        # A connection breaks a moment before its server has ended.
        mongod.check_running(patience_seconds=1.0)
        name = next(iter(command))
        msg = f"{name} failed on {mongod.node.name}, {mongod.address}: {error}; its log is {mongod.node.log_path}"
        raise ClusterStartError(msg) from error


def connect_to(node: Node) -> MongoClient[dict[str, Any]]:
    """
    Return a client that speaks to this one member, whatever its state.
    """
    return MongoClient(
        node.host,
        node.port,
        directConnection=True,
        appName=APP_NAME,
        serverMonitoringMode="poll",
        serverSelectionTimeoutMS=ASK_TIMEOUT_MS,
    )


def hello(client: MongoClient[dict[str, Any]]) -> dict[str, Any]:
    """
    Ask a member for its state; one that does not answer has none.
    """
    try:
        return client.admin.command("hello")
    except PyMongoError:
        return {}


def free_ports(count: int) -> list[int]:
    """
    Let the kernel choose ports: all are bound at the same time, so they differ.
    """
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [one.getsockname()[1] for one in sockets]
