from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest

from .parts import Child

EGRESS = "127.47.0.1"


class Listener:
    """
    Accepts connections, keeps where they came from, and hangs up.
    """

    def __init__(self) -> None:
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._sock.getsockname()[1]
        self.sources: list[str] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            connection, (host, _) = self._sock.accept()
            with connection:
                if connection.recv(1) == b"q":
                    return
                self.sources.append(host)

    def close(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.send(b"q")
        self._thread.join()
        self._sock.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


# Each waits for the end of the connection, so that the listener has counted it.
CONNECTS = """
import asyncio, socket, ssl
address = "127.0.0.1", {port}

def finish(sock):
    sock.sendall(b"x")
    sock.recv(1)
    sock.close()

finish(socket.create_connection(address))
sock = socket.socket()
assert sock.connect_ex(address) == 0
finish(sock)

async def main():
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"x")
    await reader.read()
    writer.close()
asyncio.run(main())

try:
    context = ssl.create_default_context()
    context.wrap_socket(socket.socket(), server_hostname="localhost").connect(address)
except OSError:
    pass
# One that has chosen its address keeps it.
finish(socket.create_connection(address, source_address=("127.48.0.1", 0)))
"""


def test_a_childs_connections_come_from_its_egress_address(child: Child, listener: Listener) -> None:
    expected = [EGRESS] * 4 + ["127.48.0.1"]
    program = CONNECTS.format(port=listener.port)

    child.execute(program, egress=EGRESS)
    assert listener.sources == expected
    child.fork(program, egress=EGRESS, preload="asyncio ssl socket")
    assert listener.sources == expected * 2


def test_without_an_egress_address_they_come_from_where_they_go(hook: Child, listener: Listener) -> None:
    hook.execute(CONNECTS.format(port=listener.port))

    assert listener.sources == ["127.0.0.1"] * 4 + ["127.48.0.1"]


def test_pymongo_comes_from_there_too(hook: Child, listener: Listener) -> None:
    program = f"""
from pymongo import MongoClient
from pymongo.errors import ServerSelectionTimeoutError
try:
    MongoClient("mongodb://127.0.0.1:{listener.port}/", serverSelectionTimeoutMS=100).admin.command("ping")
except ServerSelectionTimeoutError:
    pass
"""
    hook.execute(program, egress=EGRESS)

    assert set(listener.sources) == {EGRESS}


def test_only_tcp_to_loopback_is_bound(hook: Child) -> None:
    program = """
import json, socket
def source(kind, host):
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.setblocking(False)
        # 192.0.2.0/24 is for documentation: a packet goes nowhere, and none may be needed to learn the source.
        sock.connect_ex((host, 9))
        return sock.getsockname()[0]
print(json.dumps([source(socket.SOCK_DGRAM, "127.0.0.1"), source(socket.SOCK_STREAM, "192.0.2.1")]))
"""
    datagram, outside = json.loads(hook.execute(program, egress=EGRESS))

    assert datagram == "127.0.0.1"
    assert outside != EGRESS
