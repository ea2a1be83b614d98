from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import psutil
import pytest

from warmline.lab.cluster import Certificates, Mongod, MongodBinary, ServerOptions
from warmline.lab.cluster.mongod import last_error, server_flags
from warmline.lab.cluster.replica_set import free_ports
from warmline.lab.errors import ClusterStartError, PortTaken
from warmline.lab.workspace import Workspace


class Start(Protocol):
    def __call__(self, *, port: int | None = None, program: Path | None = None) -> Mongod: ...


@pytest.fixture
def start(binary: MongodBinary, workspace: Workspace) -> Iterator[Start]:
    """
    Start servers, or other programs in their place, that are stopped after the test.
    """
    started = []

    def start(*, port: int | None = None, program: Path | None = None) -> Mongod:
        chosen = free_ports(1)[0] if port is None else port
        runs = binary if program is None else MongodBinary(program, "0")
        mongod = Mongod(runs, workspace, name="mongod-0", port=chosen, replica_set="warmline")
        started.append(mongod)
        return mongod

    yield start
    for mongod in started:
        mongod.stop()


def test_it_runs_from_start_to_stop_and_leaves_its_log(start: Start, workspace: Workspace) -> None:
    mongod = start()
    mongod.wait_until_listening()

    assert mongod.is_running
    assert mongod.address == f"127.0.0.1:{mongod.node.port}"
    with socket.create_connection((mongod.node.host, mongod.node.port)):
        pass

    mongod.stop()

    assert not mongod.is_running
    assert not psutil.pid_exists(mongod.pid)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((mongod.node.host, mongod.node.port))
    assert list(workspace.directory.iterdir()) == [workspace.logs]
    assert list(workspace.logs.iterdir()) == [mongod.node.log_path]


def test_it_carries_the_mark_of_the_run_in_a_session_of_its_own(start: Start, workspace: Workspace) -> None:
    mongod = start()
    mongod.wait_until_listening()

    assert psutil.Process(mongod.pid).environ()["WARMLINE_LAB"] == workspace.token
    assert os.getsid(mongod.pid) == mongod.pid


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells another process's limits")
def test_it_may_open_as_many_files_as_the_system_lets_it(start: Start) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        mongod = start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    mongod.wait_until_listening()

    assert resource.prlimit(mongod.pid, resource.RLIMIT_NOFILE) == (hard, hard)


def test_a_stopped_process_counts_as_running_and_can_be_ended(start: Start) -> None:
    mongod = start()
    mongod.wait_until_listening()
    psutil.Process(mongod.pid).send_signal(signal.SIGSTOP)

    assert mongod.is_running
    mongod.stop()
    assert not mongod.is_running


def test_a_port_in_use_is_told_by_the_server_and_not_taken_for_its_own(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        mongod = start(port=other.getsockname()[1])

        with pytest.raises(PortTaken) as raised:
            mongod.wait_until_listening()

    assert f"mongod-0 on {mongod.address} ended with status 48: " in str(raised.value)
    assert "Address already in use" in str(raised.value)
    assert f"its log is {mongod.node.log_path}" in str(raised.value)


def test_an_end_before_the_log_is_open_is_told_by_the_consoles_last_line(start: Start, tmp_path: Path) -> None:
    program = tmp_path / "mongod"
    program.write_text("#!/bin/sh\necho 'Error parsing command line: unrecognised option' >&2; exit 2\n")
    program.chmod(0o755)

    with pytest.raises(
        ClusterStartError, match="ended with status 2: Error parsing command line: unrecognised option;"
    ):
        start(program=program).wait_until_listening()


def test_an_end_without_a_word_says_so(start: Start) -> None:
    mongod = start()
    psutil.Process(mongod.pid).kill()

    with pytest.raises(ClusterStartError, match="ended with status -9: it logged no error"):
        mongod.wait_until_listening()


def test_errors_of_an_earlier_server_of_the_same_name_are_not_told_again(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(PortTaken):
        start(port=other.getsockname()[1]).wait_until_listening()
    mongod = start()
    psutil.Process(mongod.pid).kill()

    with pytest.raises(ClusterStartError, match="it logged no error"):
        mongod.wait_until_listening()


def test_a_server_that_aborts_is_told_by_its_reason_and_not_by_the_fact(tmp_path: Path) -> None:
    log = tmp_path / "mongod.log"
    entries = [
        {"s": "I", "msg": "Starting"},
        {"s": "F", "msg": "Fatal assertion", "attr": {"error": "NodeNotFound: no connection"}},
        {"s": "F", "msg": "\n\n***aborting after fassert() failure\n\n"},
    ]
    log.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))

    assert last_error(log) == "Fatal assertion: NodeNotFound: no connection"


def test_a_plain_server_gets_no_flag_of_what_it_does_not_have(start: Start, tmp_path: Path) -> None:
    node = start().node
    plain = server_flags(node, tmp_path, "warmline")
    options = ServerOptions(
        certificates=Certificates(Path("/ca.pem"), Path("/server.pem")),
        key_file=Path("/key"),
        max_connections=30,
    )

    assert [flag for flag in plain if flag.startswith(("--tls", "--key", "--max"))] == []
    assert server_flags(node, tmp_path, "warmline", options) == [
        *plain,
        *("--tlsMode", "requireTLS", "--tlsAllowConnectionsWithoutCertificates", "--tlsCAFile", "/ca.pem"),
        *("--tlsCertificateKeyFile", "/server.pem", "--keyFile", "/key", "--maxConns", "30"),
    ]


def test_a_program_that_cannot_be_started_leaves_no_data(start: Start, workspace: Workspace, tmp_path: Path) -> None:
    workspace.logs.rmdir()

    with pytest.raises(FileNotFoundError):
        start()

    assert list(workspace.directory.iterdir()) == []
    workspace.logs.mkdir()
