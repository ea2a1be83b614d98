"""
What events do to a running cluster and to deployed functions.

Each of them takes its event's parts as they were written, may block, and returns what undoes it if it lasts.
"""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from ..atlas import AtlasCluster
from ..atlas.front import CLEAR, AccessList, Face, Front, Network
from ..aws import FunctionSpec, LambdaService
from ..cluster import Mongod, connect_as, faults
from ..cluster.users import USERS_DATABASE, new_password
from ..errors import UnusableScenario
from ..load import read_duration
from ..names.answers import Failure

Undo = Callable[[], None]

# Open flows are reset in the front's own thread; then new ones pass again.
_RESET_SECONDS = 0.2

_ZONES = "abc"


@dataclass(frozen=True, slots=True)
class Stage:
    """
    What events act on. ``specs`` makes what is deployed anew, with the connection string of that moment.
    """

    cluster: AtlasCluster
    service: LambdaService
    loop: asyncio.AbstractEventLoop
    specs: Callable[[], dict[str, FunctionSpec]]

    @property
    def front(self) -> Front:
        """
        The front; a scenario whose events need one has it.
        """
        front = self.cluster.front
        assert front is not None, "the cluster has no front: through_front=True"  # noqa: S101
        return front

    def mongods(self, where: str) -> list[Mongod]:
        """
        The servers that an event speaks of: a node, a zone's, all, or the one that is primary now.
        """
        servers = self.cluster.servers
        if where == "primary":
            return [faults.primary_mongod(servers)]
        return [servers.mongods[number] for number in numbers(where, len(servers.mongods))]

    def faces(self, where: str) -> list[Face]:
        """
        The addresses of the front that an event speaks of; all mongos are before the primary.
        """
        faces = self.front.faces
        if where == "primary":
            (primary,) = self.mongods(where)
            return [face for face in faces if face.spec.server == (primary.node.host, primary.node.port)]
        return [faces[number] for number in numbers(where, len(faces))]


def numbers(where: str, size: int) -> list[int]:
    """
    Nodes count from 1; they lie in zones a, b and c by turns.

    :raises UnusableScenario: there is no such node or zone.
    """
    kind, _, which = where.partition(" ")
    if kind == "all":
        return list(range(size))
    if kind == "node" and 1 <= int(which) <= size:
        return [int(which) - 1]
    if kind == "zone" and which in _ZONES:
        found = list(range(_ZONES.index(which), size, len(_ZONES)))
        if found:
            return found
    raise UnusableScenario(f"there is no {where} here: the cluster has {size} nodes, in the zones a, b and c by turns")


def step_down(stage: Stage, parts: dict[str, str]) -> None:
    """
    Have the primary hand its office over.
    """
    faults.step_down(stage.cluster.servers)


def restart(stage: Stage, parts: dict[str, str]) -> None:
    """
    Restart servers in good order, one after the other.
    """
    for mongod in stage.mongods(parts["where"]):
        faults.restart(mongod)


def crash(stage: Stage, parts: dict[str, str]) -> Undo:
    """
    Kill servers, and start them again later.
    """
    mongods = stage.mongods(parts["where"])
    for mongod in mongods:
        mongod.halt(signal.SIGKILL)

    def undo() -> None:
        for mongod in mongods:
            mongod.start()
        for mongod in mongods:
            mongod.wait_until_listening()

    return undo


def black_hole(stage: Stage, parts: dict[str, str]) -> Undo:
    """
    Let nothing pass, and give no sign of it.
    """
    return _lay(stage, parts["where"], Network(black_hole="all"))


def delay(stage: Stage, parts: dict[str, str]) -> Undo:
    """
    Let each message take longer, in both directions.
    """
    return _lay(stage, parts["where"], Network(latency_seconds=read_duration(parts["delay"])))


def forget_connections(stage: Stage, parts: dict[str, str]) -> None:
    """
    Lose the flows that are open without a sign, as a NAT gateway does; new ones pass.
    """
    _lay(stage, parts["where"], Network(black_hole="existing"))


def reset_connections(stage: Stage, parts: dict[str, str]) -> None:
    """
    End the flows that are open with a reset; new ones pass.
    """
    undo = _lay(stage, parts["where"], Network(cut="reset"))
    time.sleep(_RESET_SECONDS)
    undo()


def _lay(stage: Stage, where: str, network: Network) -> Undo:
    faces = stage.faces(where)
    for face in faces:
        stage.front.lay(network, node=face.spec.name)

    def undo() -> None:
        for face in faces:
            stage.front.lay(CLEAR, node=face.spec.name)

    return undo


def refuse_connections(stage: Stage, parts: dict[str, str]) -> Undo:
    """
    Reset new connections on every node; open ones stay.
    """
    return _allow(stage, AccessList((), "reset"))


def deny_access(stage: Stage, parts: dict[str, str]) -> Undo:
    """
    Take the functions' address off the access list: new connections get Atlas's TLS alert, open ones stay.
    """
    return _allow(stage, AccessList(()))


def _allow(stage: Stage, nobody: AccessList) -> Undo:
    stage.front.allow(nobody)
    return lambda: stage.front.allow(stage.cluster.spec.access_list)


def limit_connections(stage: Stage, parts: dict[str, str]) -> Undo | None:
    """
    Admit at most so many connections on each node; those that are open stay.
    """
    return _limit(stage, parts, connections=int(parts["number"]))


def limit_new_connections(stage: Stage, parts: dict[str, str]) -> Undo | None:
    """
    Admit at most so many new connections a second on each node.
    """
    return _limit(stage, parts, new_per_second=int(parts["number"]))


def _limit(stage: Stage, parts: dict[str, str], **limits: int) -> Undo | None:
    usual = stage.cluster.spec.limits
    stage.front.limit(dataclasses.replace(usual, **limits))
    return (lambda: stage.front.limit(usual)) if "seconds" in parts else None


def lose_names(stage: Stage, parts: dict[str, str]) -> Undo:
    """
    Leave every DNS query unanswered.
    """
    names = stage.cluster.names
    usual = names.behaviour
    names.behaviour = dataclasses.replace(usual, failure=Failure.SILENT)

    def undo() -> None:
        names.behaviour = usual

    return undo


def rotate_password(stage: Stage, parts: dict[str, str]) -> None:
    """
    Give the functions' user another password. Open connections stay; a deploy brings the new one to the functions.
    """
    servers = stage.cluster.servers
    users = servers.users
    assert users is not None, "a cluster without users has no password"  # noqa: S101
    password = new_password()
    with closing(connect_as(servers.primary(), users.admin)) as administrator:
        administrator[USERS_DATABASE].command("updateUser", users.application.name, pwd=password)
    servers.users = dataclasses.replace(users, application=dataclasses.replace(users.application, password=password))


def deploy(stage: Stage, parts: dict[str, str]) -> None:
    """
    Deploy functions anew, one or all: the next invocations start new environments, the old ones fade.
    """
    fade = {"fade_seconds": read_duration(parts["fade"])} if "fade" in parts else {}

    async def update() -> None:
        for name, spec in stage.specs().items():
            if parts.get("function", name) == name:
                stage.service.update(name, spec, **fade)

    asyncio.run_coroutine_threadsafe(update(), stage.loop).result()
