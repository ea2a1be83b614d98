"""
However a lab ends, no process, no port and no directory stays behind.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from pymongo.database import Database
from pymongo.errors import OperationFailure

from warmline.lab.cluster import ClusterSpec, Mongod, replica_set, start_cluster
from warmline.lab.cluster.users import new_users
from warmline.lab.errors import ClusterStartError
from warmline.lab.workspace import Workspace

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="the janitor finds processes in /proc")

HOLDS_A_CLUSTER = """
import json, time
from warmline.lab.cluster import ClusterSpec, start_cluster
from warmline.lab.workspace import Workspace
with Workspace() as workspace, start_cluster(workspace, ClusterSpec(members=1)) as cluster:
    print(json.dumps([str(workspace.directory), workspace.token, cluster.nodes[0].port]), flush=True)
    time.sleep(60)
"""


@dataclass(frozen=True)
class Lab:
    """
    A lab in another process, and what it has on this machine.
    """

    process: subprocess.Popen[str]
    directory: Path
    token: str
    port: int

    def left(self) -> list[str]:
        """
        List what is still there of it.
        """
        things = []
        if self.directory.exists():
            things.append(str(self.directory))
        if is_open(self.port):
            things.append(f"port {self.port}")
        for process in psutil.process_iter():
            try:
                of_this_lab = process.environ().get("WARMLINE_LAB") == self.token
                janitor = str(self.directory) in process.cmdline()
            except psutil.Error:
                continue
            if of_this_lab or janitor:
                things.append(str(process))
        return things

    def wait_until_nothing_is_left(self, seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while left := self.left():
            assert time.monotonic() < deadline, left
            time.sleep(0.02)


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True


def start_lab() -> Lab:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS_A_CLUSTER],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    directory, token, port = json.loads(process.stdout.readline())
    lab = Lab(process, Path(directory), token, port)
    # The directory, the port, the server and the janitor.
    assert len(lab.left()) == 4
    return lab


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_killed_lab_leaves_nothing(signum: signal.Signals) -> None:
    lab = start_lab()

    lab.process.send_signal(signum)

    lab.process.communicate()
    assert lab.process.returncode == -signum
    lab.wait_until_nothing_is_left()


def test_ctrl_c_in_the_terminal_leaves_nothing() -> None:
    lab = start_lab()

    os.killpg(lab.process.pid, signal.SIGINT)

    _, said = lab.process.communicate()
    assert said.splitlines()[-1] == "KeyboardInterrupt"
    # The lab itself has waited for the janitor.
    assert lab.left() == []


def test_an_end_in_order_leaves_nothing_for_the_janitor_to_kill() -> None:
    with Workspace() as workspace, start_cluster(workspace, ClusterSpec(members=1)):
        pass

    assert workspace.swept == 0
    assert not workspace.directory.exists()


def test_an_error_keeps_the_servers_logs_and_says_where() -> None:
    with (
        pytest.raises(ZeroDivisionError) as raised,
        Workspace() as workspace,
        start_cluster(workspace, ClusterSpec(members=1)) as cluster,
    ):
        raise ZeroDivisionError

    [log] = [node.log_path for node in cluster.nodes]
    assert raised.value.__notes__ == [f"logs are kept in {workspace.logs}"]
    assert [path for path in workspace.directory.rglob("*") if path.is_file()] == [log]
    assert "Waiting for connections" in log.read_text()
    log.unlink()
    workspace.logs.rmdir()
    workspace.directory.rmdir()


def test_a_cluster_that_nobody_stopped_is_left_to_the_janitor() -> None:
    with Workspace() as workspace:
        cluster = start_cluster(workspace, ClusterSpec(members=1))

    assert workspace.swept == 1
    assert not is_open(cluster.nodes[0].port)
    assert not cluster.mongods[0].is_running


class Failure(RuntimeError):  # noqa: N818  it is one
    """
    What goes wrong in the tests below.
    """


def fail(*_: object, **__: object) -> None:
    raise Failure


def fail_at(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """
    Make one step of a cluster's start fail.
    """
    if step in {"make_certificates", "write_key_file", "create_users"}:
        monkeypatch.setattr(replica_set, step, fail)
    elif step == "wait_until_listening":
        monkeypatch.setattr(Mongod, step, fail)
    elif step.startswith("start "):
        run = subprocess.Popen
        logs = (f"{step.removeprefix('start ')}.log",)

        def start(command: list[str], *args: Any, **options: Any) -> Any:
            if "--dbpath" in command and any(str(part).endswith(logs) for part in command):
                raise Failure
            return run(command, *args, **options)

        monkeypatch.setattr(subprocess, "Popen", start)
    else:
        send = Database.command

        def command(self: Any, name: Any, *args: Any, **options: Any) -> Any:
            said = f"{name} {args[0]}" if isinstance(name, str) and args else next(iter(name))
            if said == step:
                raise OperationFailure("failed on purpose")
            return send(self, name, *args, **options)

        monkeypatch.setattr(Database, "command", command)


@pytest.mark.parametrize(
    ("step", "members"),
    [
        # Three where the others have a part in the step.
        ("make_certificates", 1),
        ("write_key_file", 1),
        ("start mongod-0", 3),
        ("start mongod-2", 3),
        ("wait_until_listening", 3),
        ("replSetInitiate", 3),
        ("create_users", 1),
        ("createUser admin", 1),
        ("createUser monitoring", 1),
        ("replSetReconfig", 3),
        ("appendOplogNote", 1),
    ],
)
def test_a_start_that_fails_at_any_step_leaves_nothing(
    step: str, members: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = new_users()
    monkeypatch.setattr(replica_set, "new_users", lambda: users)
    fail_at(monkeypatch, step)

    with Workspace() as workspace:
        with pytest.raises((Failure, ClusterStartError)) as raised:
            start_cluster(workspace, ClusterSpec(members=members, tls=True, auth="scram"))
        # Not even until the end of the lab's run, but for the logs.
        assert list(workspace.directory.iterdir()) == [workspace.logs]

    if step[0].islower() and " " not in step and "_" not in step:
        assert f"{step} failed on mongod-0" in str(raised.value)
    for user in (users.admin, users.application, users.monitoring):
        assert user.password not in str(raised.value)
    assert workspace.swept == 0
    assert not workspace.directory.exists()
    assert processes_of(workspace.token) == []


@pytest.mark.parametrize(
    ("wish", "members"), [("starting", 1), ("electing", 3), ("creating", 1), ("adding", 3), ("waiting", 1)]
)
def test_ctrl_c_at_any_step_of_the_start_leaves_nothing(wish: str, members: int) -> None:
    def interrupt(step: str) -> None:
        if step.startswith(wish):
            raise KeyboardInterrupt

    with Workspace() as workspace:
        with pytest.raises(KeyboardInterrupt):
            start_cluster(workspace, ClusterSpec(members=members, tls=True, auth="scram"), on_step=interrupt)
        assert list(workspace.directory.iterdir()) == [workspace.logs]

    assert workspace.swept == 0
    assert not workspace.directory.exists()
    assert processes_of(workspace.token) == []


def processes_of(token: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("WARMLINE_LAB") == token:
                found.append(process)
        except psutil.Error:
            continue
    return found
