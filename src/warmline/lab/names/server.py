"""
The DNS server: UDP and TCP on a loopback address of its own.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import dns.rdatatype

from .answers import Behaviour, datagram, plain_name, read_query, respond, stream_message
from .errors import NoFreeAddress
from .zone import Zone

_TRIES = 10

# Asked for; the kernel gives what it may. By itself it has room for fewer than 300 queries.
_BUFFER_BYTES = 1 << 20
# Then others have their turn.
_DATAGRAMS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Query:
    """
    A question that was asked: the name in lower case, the record type (``SRV``), and ``udp`` or ``tcp``.
    """

    name: str
    kind: str
    transport: str


class NameServer:
    """
    An authoritative server for one zone; it runs in the event loop that it is started in.

    ``behaviour`` is one frozen object: any thread may replace it at any time, and the next query meets the new one.
    """

    def __init__(self, zone: Zone) -> None:
        self.behaviour = Behaviour(zone)
        self._queries: list[Query] = []
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> tuple[str, int]:
        """
        Where it listens.
        """
        return cast("tuple[str, int]", self._listener.sockets[0].getsockname())

    @property
    def queries(self) -> tuple[Query, ...]:
        """
        All questions so far, in their order.
        """
        return tuple(self._queries)

    def counts(self) -> Counter[tuple[str, str]]:
        """
        Return how often each name and record type was asked for.
        """
        return Counter((query.name, query.kind) for query in self.queries)

    async def start(self) -> None:
        """
        Listen: on port 53 of an address of its own, where that is allowed, and else on any port.
        """
        for host, port in _addresses():
            try:
                await self._listen(host, port)
            except OSError as error:
                refusal = error
            else:
                return
        msg = f"the lab's DNS server found no loopback address with its UDP and its TCP port free: {refusal}"
        raise NoFreeAddress(msg) from refusal

    async def close(self) -> None:
        """
        Stop listening and drop what is under way; a delayed answer is never sent.
        """
        self._datagrams.close()
        self._listener.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._listener.wait_closed()

    async def _listen(self, host: str, port: int) -> None:
        listener = await asyncio.start_server(self._serve_connection, host, port)
        try:
            self._datagrams = _Datagrams(listener.sockets[0].getsockname(), self._reply)
        except OSError:
            listener.close()
            raise
        self._listener = listener

    async def _serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = cast("asyncio.Task[None]", asyncio.current_task())
        self._connections.add(connection)
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(2), "big")
                reply = self._reply(await reader.readexactly(length), "tcp")
                if reply is not None:
                    await asyncio.sleep(reply.delay_seconds)
                    writer.write(reply.wire)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            # The client has what it wanted, or has lost its patience.
            return
        except asyncio.CancelledError:
            # By `close`. Passed on, it would be reported as an error. Without the abort, a client that does not read
            # would keep the connection for ever.
            writer.transport.abort()
        finally:
            self._connections.discard(connection)
            writer.close()

    def _reply(self, wire: bytes, transport: str) -> _Reply | None:
        behaviour = self.behaviour
        query = read_query(wire)
        if query is None:
            return None
        for question in query.question:
            kind = dns.rdatatype.to_text(question.rdtype)
            self._queries.append(Query(plain_name(question.name), kind, transport))
        response = respond(query, behaviour)
        if response is None:
            return None
        encoded = datagram(response, query) if transport == "udp" else stream_message(response)
        return _Reply(encoded, behaviour.delay_seconds)


@dataclass(frozen=True, slots=True)
class _Reply:
    wire: bytes
    delay_seconds: float


class _Datagrams:
    """
    The UDP side; it listens until it is closed.

    asyncio's own reads one datagram in each turn of the loop. Where the loop has other work too, a burst of queries
    overflows the kernel's buffer, and the client of each one that is lost waits for seconds before it asks again.
    """

    def __init__(self, address: tuple[str, int], reply: Callable[[bytes, str], _Reply | None]) -> None:
        self._reply = reply
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            self._socket.bind(address)
        except OSError:
            self._socket.close()
            raise
        self._loop.add_reader(self._socket, self._read)

    def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        for _ in range(_DATAGRAMS_AT_ONCE):
            try:
                data, client = self._socket.recvfrom(65_535)
            except BlockingIOError:
                return
            reply = self._reply(data, "udp")
            if reply is not None:
                self._loop.call_later(reply.delay_seconds, self._send, reply.wire, client)

    def _send(self, wire: bytes, client: tuple[str, int]) -> None:
        # It may have been closed meanwhile, and an answer may be lost as any datagram may.
        with suppress(OSError):
            self._socket.sendto(wire, client)


def _addresses() -> Iterator[tuple[str, int]]:
    """
    Propose addresses: port 53, the only one that /etc/resolv.conf can name, then whatever the system gives.
    """
    for _ in range(_TRIES):
        yield f"127.53.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}", 53
    for _ in range(_TRIES):
        # TCP gets any free port; that it is free for UDP too is likely, not certain.
        yield "127.0.0.1", 0
