"""
Registering with an Extensions API that answers as AWS's emulator does, answers late, refuses, or is not there.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from warmline.lab.cluster.replica_set import free_ports

SAYS_WHEN = """
import sys, threading, warmline
print("imported", flush=True)
sys.stdin.read()
# What it logs, it logs in its thread.
for thread in threading.enumerate():
    if thread.name == "warmline-extension":
        thread.join()
"""


@contextmanager
def importing(port: int, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """
    A program that imports warmline on Lambda, says when it has done so, and ends with its standard input.
    """
    with subprocess.Popen(
        [sys.executable, "-c", SAYS_WHEN],
        env={
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
            **variables,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        yield program


@contextmanager
def api(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """
    Serve connections with this function, and give the port.
    """

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def answering(status: str, body: str, seen: list[str] | None = None) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(4096)
        if seen is not None:
            seen.append(request.decode())
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

    return answer


def test_importing_does_not_wait_for_an_api_that_does_not_answer() -> None:
    imported = threading.Event()

    def wait(_connection: socket.socket) -> None:
        imported.wait(30)

    with api(wait) as port, importing(port) as program:
        assert program.stdout is not None
        # The API answers after this line only.
        assert program.stdout.readline() == "imported\n"
        imported.set()
        _, log = program.communicate()
    assert log.count("\n") == 1


def test_no_api_at_all_is_one_line_in_the_log() -> None:
    (port,) = free_ports(1)
    with importing(port) as program:
        out, log = program.communicate()
    assert out == "imported\n"
    (line,) = log.splitlines()
    assert "registering the extension 'warmline' failed" in line
    assert "Connection refused" in line
    assert "WARMLINE_SHUTDOWN=off" in line


@pytest.mark.parametrize("kind", ["Extension.InvalidExtensionState", "Extension.AlreadyRegistered"])
def test_to_be_registered_already_is_success(kind: str) -> None:
    seen: list[str] = []
    body = f'{{"errorType": "{kind}", "errorMessage": "Extension with this name already registered"}}'
    with api(answering("403 Forbidden", body, seen)) as port, importing(port) as program:
        out, log = program.communicate()
    assert (out, log) == ("imported\n", "")
    assert [request.splitlines()[0] for request in seen] == ["POST /2020-01-01/extension/register HTTP/1.1"]


@pytest.mark.parametrize(
    ("variables", "lines"),
    [({}, 1), ({"AWS_LAMBDA_MAX_CONCURRENCY": "4"}, 0), ({"WARMLINE_SHUTDOWN": "off"}, 0)],
    ids=["a function", "a worker of a managed instance", "switched off"],
)
def test_to_be_too_late_is_a_fault_unless_another_worker_was_in_time(variables: dict[str, str], lines: int) -> None:
    body = '{"errorType": "Extension.RegistrationClosed", "errorMessage": "Extension registration closed already"}'
    with api(answering("403 Forbidden", body)) as port, importing(port, **variables) as program:
        out, log = program.communicate()
    assert out == "imported\n"
    assert log.count("\n") == lines
    if lines:
        assert "403 Forbidden" in log
        assert "registration closed" in log


def test_what_is_no_http_at_all_is_one_line_in_the_log() -> None:
    with api(lambda connection: connection.sendall(b"\0")) as port, importing(port) as program:
        out, log = program.communicate()
    assert out == "imported\n"
    assert log.count("\n") == 1


def test_an_address_without_a_port_is_one_line_in_the_log() -> None:
    with importing(0, AWS_LAMBDA_RUNTIME_API="nowhere") as program:
        out, log = program.communicate()
    assert out == "imported\n"
    assert log.count("\n") == 1
