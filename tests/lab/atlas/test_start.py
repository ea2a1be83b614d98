"""
However the start of an Atlas-like cluster fails, no process, no socket, no thread and no directory stays behind.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from pymongo import MongoClient

from warmline.lab.atlas import AtlasSpec, start_atlas
from warmline.lab.atlas import cluster as atlas_cluster
from warmline.lab.atlas.loop import LoopThread
from warmline.lab.cluster import connect_as
from warmline.lab.cluster.replica_set import bound_sockets
from warmline.lab.errors import ClusterStartError, LabError, NoPrimary
from warmline.lab.names import server as name_server
from warmline.lab.names.errors import NoFreeAddress
from warmline.lab.names.resolve import choose_resolver
from warmline.lab.workspace import Workspace

from .conftest import ROLE

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="the janitor finds processes in /proc")

IAM = AtlasSpec(members=1, auth="iam")
# The quickest to start of those that have all the steps but certificates and users.
PLAIN = AtlasSpec(members=1, tls=False, auth="none", kind="sharded", faces=3)


def processes_of(token: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("WARMLINE_LAB") == token:
                found.append(process)
        except psutil.Error:
            continue
    return found


def open_ports() -> set[tuple[str, int]]:
    """
    Where this process listens, by TCP and UDP.
    """
    sockets = psutil.Process().net_connections("inet")
    return {(one.laddr.ip, one.laddr.port) for one in sockets if one.status in {psutil.CONN_LISTEN, psutil.CONN_NONE}}


@contextmanager
def nothing_left() -> Iterator[Workspace]:
    """
    A workspace, of whose use nothing may be left at its end: and of directories not even then, but for the logs.
    """
    threads, ports = set(threading.enumerate()), open_ports()
    with Workspace() as workspace:
        yield workspace
        assert set(workspace.directory.iterdir()) == {workspace.logs}
    assert workspace.swept == 0
    assert not workspace.directory.exists()
    assert processes_of(workspace.token) == []
    assert open_ports() <= ports
    # PyMongo's own end a moment after their client.
    deadline = time.monotonic() + 10
    while left := set(threading.enumerate()) - threads:
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


@dataclass
class Scene:
    """
    What a cause of failure can get at when a step begins.
    """

    workspace: Workspace
    monkeypatch: pytest.MonkeyPatch
    undo: ExitStack
    listeners: list[socket.socket] = field(default_factory=list)


def no_more_threads(scene: Scene) -> None:
    # More memory than there are addresses: what the system answers is that it can start no more threads.
    scene.undo.callback(threading.stack_size, threading.stack_size(1 << 46))


def no_more_disk(scene: Scene) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    scene.undo.callback(resource.setrlimit, resource.RLIMIT_FSIZE, limits)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))


def mongod_dies(scene: Scene) -> None:
    (server,) = [one for one in processes_of(scene.workspace.token) if "mongod" in one.name()]
    server.kill()
    server.wait()


def dns_addresses_are_taken(scene: Scene) -> None:
    taken = scene.undo.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    taken.bind(("127.77.0.2", 0))
    scene.monkeypatch.setattr(name_server, "_addresses", lambda: iter([taken.getsockname()]))


def certificate_is_damaged(scene: Scene) -> None:
    (pem,) = scene.workspace.directory.glob("atlas-*/tls/server.pem")
    pem.write_text("no certificate")


def port_is_lost(number: int) -> Callable[[Scene], None]:
    return lambda scene: scene.listeners[number].close()


@pytest.mark.parametrize(
    ("spec", "step", "cause", "error", "says"),
    [
        (IAM, "", no_more_threads, RuntimeError, "can't start new thread"),
        (IAM, "making certificates", no_more_disk, OSError, "File too large"),
        (PLAIN, "starting the DNS server", mongod_dies, NoPrimary, "none of .* is primary"),
        (PLAIN, "starting the DNS server", dns_addresses_are_taken, NoFreeAddress, "Address already in use"),
        (PLAIN, "starting the DNS server", no_more_disk, OSError, "File too large"),
        (IAM, "starting 1 faces", certificate_is_damaged, OSError, "PEM"),
        (
            PLAIN,
            "starting 3 faces",
            port_is_lost(0),
            ClusterStartError,
            "cluster0-mongos-00.* can't listen",
        ),
        (
            PLAIN,
            "starting 3 faces",
            port_is_lost(1),
            ClusterStartError,
            "cluster0-mongos-01.* can't listen",
        ),
        (
            PLAIN,
            "starting 3 faces",
            port_is_lost(2),
            ClusterStartError,
            "cluster0-mongos-02.* can't listen",
        ),
    ],
)
def test_a_start_that_fails_at_any_step_leaves_nothing(
    spec: AtlasSpec,
    step: str,
    cause: Callable[[Scene], None],
    error: type[Exception],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    if cause is no_more_disk and "DNS" in step:
        way = choose_resolver(("127.0.0.1", 53), directory=tmp_path / "etc")
        if way.name != "mount-namespace":
            pytest.skip(f"only a mount namespace needs files: {way.explanation}")
    with nothing_left() as workspace, ExitStack() as undo:
        scene = Scene(workspace, monkeypatch, undo)

        def bind(count: int) -> list[socket.socket]:
            scene.listeners = bound_sockets(count)
            return scene.listeners

        def begin(doing: str) -> None:
            if doing == step:
                cause(scene)

        monkeypatch.setattr(atlas_cluster, "bound_sockets", bind)
        begin("")
        with pytest.raises(error, match=says), start_atlas(workspace, spec, on_step=begin):
            pass
        undo.close()


def test_a_server_that_ends_at_once_leaves_nothing(tmp_path: Path) -> None:
    mongod = tmp_path / "mongod"
    mongod.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "db version v6.0.5" && exit\necho "no room here"; exit 3\n'
    )
    mongod.chmod(0o755)
    with (
        nothing_left() as workspace,
        pytest.raises(ClusterStartError, match="ended with status 3: no room"),
        start_atlas(workspace, IAM, mongod),
    ):
        pass


@pytest.mark.parametrize(
    ("spec", "wish"),
    [(IAM, "making certificates"), (PLAIN, "starting the DNS server"), (PLAIN, "starting 3 faces")],
)
def test_ctrl_c_at_any_step_leaves_nothing(spec: AtlasSpec, wish: str) -> None:
    def interrupt(step: str) -> None:
        if step == wish:
            raise KeyboardInterrupt

    with (
        nothing_left() as workspace,
        pytest.raises(KeyboardInterrupt),
        start_atlas(workspace, spec, on_step=interrupt),
    ):
        pass


def test_what_ctrl_c_interrupts_in_the_loop_is_undone_there() -> None:
    undone = threading.Event()

    async def listen() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            undone.set()

    with pytest.raises(KeyboardInterrupt), LoopThread() as loop:
        loop.run(listen())
    assert undone.is_set()


def test_a_user_that_cannot_be_made_is_told_in_one_line_and_leaves_nothing() -> None:
    with nothing_left() as workspace, start_atlas(workspace, IAM) as cluster:
        users = cluster.servers.users
        assert users is not None
        (server,) = cluster.servers.mongods
        fail = {
            "configureFailPoint": "failCommand",
            "mode": {"times": 1},
            "data": {"failCommands": ["createUser"], "errorCode": 11600},
        }
        with closing(connect_as(server.node, users.admin)) as administrator:
            administrator.admin.command(fail)
        with pytest.raises(ClusterStartError, match="createUser failed on mongod-0") as refused:
            cluster.allow(ROLE)
        assert "\n" not in str(refused.value)
        assert cluster.identities.assume_role("orders").secret_access_key not in str(refused.value)
        server.stop()
        with pytest.raises(LabError, match=r"none of .* is primary"):
            cluster.allow(ROLE)


@pytest.mark.parametrize(("spec", "sees"), [(AtlasSpec(members=1, tier="M10"), "Single"), (PLAIN, "Sharded")])
def test_a_program_that_does_not_know_the_labs_names_reaches_a_cluster_through_its_front(
    spec: AtlasSpec, sees: str
) -> None:
    with nothing_left() as workspace, start_atlas(workspace, spec) as cluster:
        with MongoClient[dict[str, int]](cluster.standard_uri(), serverSelectionTimeoutMS=10_000) as client:
            client["shop"]["orders"].insert_one({"number": 1})
            assert client.topology_description.topology_type_name == sees
        assert cluster.front is not None
        assert all(face.counters.accepted > 0 for face in cluster.front.faces)


def test_one_workspace_holds_two_clusters() -> None:
    with nothing_left() as workspace, start_atlas(workspace, PLAIN) as one, start_atlas(workspace, PLAIN) as two:
        assert one.standard_uri() != two.standard_uri()
        with MongoClient[dict[str, int]](one.standard_uri(), serverSelectionTimeoutMS=10_000) as client:
            client["shop"]["orders"].insert_one({"number": 1})
        with MongoClient[dict[str, int]](two.standard_uri(), serverSelectionTimeoutMS=10_000) as client:
            assert client["shop"]["orders"].find_one({}) is None
