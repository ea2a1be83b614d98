"""
A replica set on loopback, from nothing to ready in seconds.
"""

from __future__ import annotations

import re
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from ..errors import ClusterStartError, NoPrimary, PortTaken
from ..workspace import Workspace
from .binary import MongodBinary, find_mongod
from .mongod import LOOPBACK, Mongod, Node, ServerOptions
from .spec import ClusterSpec
from .tls import Certificates, make_certificates
from .users import USERS_DATABASE, User, Users, create_users, new_users, write_key_file

# Hears what is being waited for.
OnStep = Callable[[str], None]

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

# As clients send it when they open a TLS connection: in lower case, and never an IP address.
PUBLIC_NAME = re.compile(r"(?=.*[a-z])([a-z0-9-]+\.)*[a-z0-9-]+(:[0-9]{1,5})?")


class Cluster:
    """
    A running replica set; stopped at the end of its `with` block.

    - `nodes`: where its members are, and how the lab connects to them
    - `certificates`: those of a cluster with TLS, else None
    - `users`: those of a cluster with authentication, else None
    - `public`: the `host:port` of each member under which clients find it who have come by one of these, else None
    """

    def __init__(
        self,
        binary: MongodBinary,
        mongods: tuple[Mongod, ...],
        *,
        certificates: Certificates | None = None,
        users: Users | None = None,
        public: tuple[str, ...] | None = None,
        remove: Path | None = None,
    ) -> None:
        self.mongods = mongods
        self.nodes = tuple(mongod.node for mongod in mongods)
        self.mongod_version = binary.version
        self.certificates = certificates
        self.users = users
        self.public = public
        self._remove = remove

    def __repr__(self) -> str:
        return f"Cluster({', '.join(node.address for node in self.nodes)})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def uri(self) -> str:
        """
        The connection string with all members, the CA, and the application's password: a secret if there are users.
        """
        userinfo = f"{self.users.application.userinfo}@" if self.users else ""
        options = [f"replicaSet={REPLICA_SET}"]
        if self.certificates:
            options += ["tls=true", f"tlsCAFile={quote(str(self.certificates.ca), safe='')}"]
        if self.users:
            options += [f"authSource={USERS_DATABASE}"]
        return f"mongodb://{userinfo}{','.join(node.address for node in self.nodes)}/?{'&'.join(options)}"

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

    def roles(self) -> dict[str, Node]:
        """
        What the members are called in results: ``primary``, ``secondary 1``…, by what they are now.
        """
        primary = self.primary()
        others = [node for node in self.nodes if node != primary]
        return {"primary": primary, **{f"secondary {number}": node for number, node in enumerate(others, 1)}}

    def stop(self) -> None:
        """
        Kill the servers and throw their data away.
        """
        for mongod in self.mongods:
            mongod.stop()
        if self._remove:
            shutil.rmtree(self._remove, ignore_errors=True)

    def _ask(self) -> Iterator[tuple[Node, dict[str, Any]]]:
        for node in self.nodes:
            # Without a login, which takes longer than the answer that needs none.
            with closing(connect_as(node, None)) as client:
                yield node, hello(client)


def start_cluster(
    workspace: Workspace,
    spec: ClusterSpec | None = None,
    mongod: str | Path | None = None,
    on_step: OnStep = lambda _step: None,
    *,
    public: tuple[str, ...] | None = None,
    ports: tuple[int, ...] | None = None,
    certificates: Certificates | None = None,
) -> Cluster:
    """
    Start a replica set and return it when every member has replicated a write.

    Raises `MongodNotFound`, `MongodUnusable` or `ClusterStartError`.

    :param mongod: the path of a server, as for `find_mongod`
    :param public: with TLS, a name for each member. A client that connects by one of them is told to find the members
        at these (the server calls it a horizon). `host:port` is where something in front of the member listens; after
        a name without a port comes the member's own.
    :param ports: the members' ports, instead of free ones
    :param certificates: with TLS, those of the caller, valid for 127.0.0.1; without them they are made
    """
    spec = spec or ClusterSpec()
    _check(spec, public, ports, certificates)
    binary = find_mongod(mongod)
    with ExitStack() as on_failure:
        directory = Path(tempfile.mkdtemp(prefix="secrets-", dir=workspace.directory))
        on_failure.callback(shutil.rmtree, directory, ignore_errors=True)

        if spec.tls and certificates is None:
            certificates = make_certificates(directory, [name.partition(":")[0] for name in public or ()])
        users = key_file = None
        if spec.auth == "scram":
            users, key_file = new_users(), directory / "key-file"
            write_key_file(key_file)
        options = ServerOptions(certificates, key_file, users.monitoring if users else None, spec.max_connections)

        # Ports that the caller has chosen are as taken at the next try.
        choose, tries = (lambda: ports, 1) if ports else (lambda: free_ports(spec.members), START_TRIES)
        mongods = _start(workspace, binary, options, choose, on_step, tries)
        for one in mongods:
            on_failure.callback(one.stop)
        if public is not None:
            public = tuple(_with_port(name, one.node.port) for name, one in zip(public, mongods, strict=True))
        _form_replica_set(mongods, users, public, on_step)
        cluster = Cluster(
            binary, tuple(mongods), certificates=certificates, users=users, public=public, remove=directory
        )
        on_failure.pop_all()
    return cluster


def _check(
    spec: ClusterSpec, public: tuple[str, ...] | None, ports: tuple[int, ...] | None, certificates: Certificates | None
) -> None:
    for argument, values in (("public", public), ("ports", ports)):
        if values is not None and len(values) != spec.members:
            msg = f"{argument} has one entry for each of {spec.members} members, not {len(values)}"
            raise ValueError(msg)
    if not spec.tls and (public or certificates):
        msg = "public names and certificates are for TLS, by which clients say the name they connect to: set tls=True"
        raise ValueError(msg)
    for name in public or ():
        if not PUBLIC_NAME.fullmatch(name):
            msg = f"a public name is host or host:port, the host a DNS name in lower case, not {name!r}"
            raise ValueError(msg)


def _with_port(name: str, port: int) -> str:
    return name if ":" in name else f"{name}:{port}"


def _start(
    workspace: Workspace,
    binary: MongodBinary,
    options: ServerOptions,
    choose_ports: Callable[[], Sequence[int]],
    on_step: OnStep,
    tries: int,
) -> list[Mongod]:
    ports = choose_ports()
    on_step(f"starting {len(ports)} x mongod {binary.version}")
    with ExitStack() as on_failure:
        mongods = []
        for index, port in enumerate(ports):
            name = f"mongod-{index}"
            mongod = Mongod(binary, workspace, name=name, port=port, replica_set=REPLICA_SET, options=options)
            on_failure.callback(mongod.stop)
            mongods.append(mongod)
        try:
            for mongod in mongods:
                mongod.wait_until_listening()
        except PortTaken:
            if tries == 1:
                raise
        else:
            on_failure.pop_all()
            return mongods
    on_step("a port was taken in the meantime, trying others")
    return _start(workspace, binary, options, choose_ports, on_step, tries - 1)


def _form_replica_set(
    mongods: list[Mongod], users: Users | None, public: tuple[str, ...] | None, on_step: OnStep
) -> None:
    """
    Make the servers one replica set that is ready for use.

    A set of one elects itself at once, whatever its settings; then the others join. Forming it of all members would
    need a low election timeout, and a second reconfiguration, half a second long, to raise it again.
    """
    members: list[dict[str, Any]] = [{"_id": index, "host": mongod.address} for index, mongod in enumerate(mongods)]
    for member, name in zip(members, public or (), strict=False):
        member["horizons"] = {"public": name}

    with ExitStack() as clients:
        # Nobody can log in before there are users, and `hello` does not want it.
        strangers = [clients.enter_context(closing(connect_as(mongod.node, None))) for mongod in mongods]
        first = strangers[0]

        on_step("electing the primary")
        config = {"_id": REPLICA_SET, "version": 1, "members": members[:1], "settings": SETTINGS}
        _command(mongods[0], first, {"replSetInitiate": config})
        _wait_until(lambda: hello(first).get("isWritablePrimary"), mongods)

        lead = first
        if users:
            on_step("creating the users")
            lead = clients.enter_context(closing(connect_as(mongods[0].node, users.admin)))
            # Before the others join, so that they need not be waited for.
            with asking(mongods[0], "createUser"):
                create_users(first, lead, users)

        if len(members) > 1:
            on_step(f"adding {len(members) - 1} secondaries")
            config |= {"version": 2, "members": members}
            # Forced, because otherwise members join one by one.
            _command(mongods[0], lead, {"replSetReconfig": config, "force": True})
            _wait_until(lambda: all(_has_primary(hello(client)) for client in strangers), mongods)

        # A member that calls itself a secondary has its copy, but takes up to a second more to follow the primary.
        on_step("waiting for a write to reach every member")
        concern = {"w": len(members), "wtimeout": 1_000}
        note = {"appendOplogNote": 1, "data": {"warmline": "ready"}, "writeConcern": concern}
        _wait_until(lambda: "writeConcernError" not in _command(mongods[0], lead, note), mongods)


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
    with asking(mongod, next(iter(command))):
        return client.admin.command(command)


@contextmanager
def asking(mongod: Mongod, command: str) -> Iterator[None]:
    """
    Tell a failed command as what it is: a server that has ended, or else its answer.
    """
    try:
        yield
    except PyMongoError as error:
        # A connection breaks a moment before its server has ended.
        mongod.check_running(patience_seconds=1.0)
        msg = f"{command} failed on {mongod.node.name}, {mongod.address}: {error}; its log is {mongod.node.log_path}"
        raise ClusterStartError(msg) from error


def connect_to(node: Node) -> MongoClient[dict[str, Any]]:
    """
    Return the lab's client that speaks to this one member, whatever its state.
    """
    return connect_as(node, node.monitoring)


def connect_as(node: Node, user: User | None) -> MongoClient[dict[str, Any]]:
    """
    Return a client that speaks to this one member as this user, or as a stranger.
    """
    options: dict[str, Any] = {"tls": True, "tlsCAFile": str(node.ca)} if node.ca else {}
    return MongoClient(
        node.host,
        node.port,
        directConnection=True,
        appName=APP_NAME,
        serverMonitoringMode="poll",
        serverSelectionTimeoutMS=ASK_TIMEOUT_MS,
        **options,
        **(user.options() if user else {}),
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
        return [held.enter_context(one).getsockname()[1] for one in bound_sockets(count)]


def bound_sockets(count: int) -> list[socket.socket]:
    """
    Have free ports kept, each by a socket of its own, until somebody listens there.
    """
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind((LOOPBACK, 0))
    return sockets
