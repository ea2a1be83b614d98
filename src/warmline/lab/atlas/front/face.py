"""
One address of the front: accepts, checks, limits, and connects through to its server.
"""

from __future__ import annotations

import asyncio
import errno
import select
import socket
import ssl
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ...cluster.replica_set import bound_sockets
from ...errors import ClusterStartError, MalformedMessage
from .access_list import AccessList, deny, reset
from .connection import Connection, Flow, Lost, pass_network
from .limits import Admission, Limits
from .login import IamLogin, Login
from .network import NetworkTable

# How long a client may take for its TLS handshake.
_HANDSHAKE_SECONDS = 30.0

# What poll tells of a FIN although data stand before it. Linux has it; elsewhere only a reset is seen.
_PEER_CLOSED = getattr(select, "POLLRDHUP", select.POLLHUP)


@dataclass(frozen=True, slots=True)
class FaceSpec:
    """
    An address and the server behind it. ``mongos`` makes the server look like one.

    ``listener`` is a socket that has its address already, and which the face closes when it stops; else it takes a free
    port.
    """

    name: str
    server: tuple[str, int]
    mongos: bool = False
    listener: socket.socket | None = None


@dataclass(frozen=True, slots=True)
class FrontOptions:
    """
    What all faces of a front have in common. Without ``server_pem`` there is no TLS, on neither side.

    ``access_list`` and ``limits`` are those that it starts with.
    """

    server_pem: Path | None = None
    ca: Path | None = None
    access_list: AccessList | None = None
    limits: Limits = field(default_factory=Limits)
    iam: IamLogin | None = None
    network: NetworkTable = field(default_factory=NetworkTable)


@dataclass(slots=True)
class Counters:
    """
    What a face has seen. ``refused`` counts by reason: access list, limit, admission, network, handshake,
    malformed, or gone: one of the two sides went away.
    """

    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    open_by_source: Counter[str] = field(default_factory=Counter)

    @property
    def open(self) -> int:
        """
        Connections that are open through to the server now.
        """
        return self.open_by_source.total()


class Face:
    """
    A listening address; it runs in the event loop that it is started in.

    ``access_list`` and ``limits``: any thread may replace them at any time, and the next connection meets the new ones.
    """

    def __init__(self, spec: FaceSpec, options: FrontOptions) -> None:
        self.spec = spec
        self.counters = Counters()
        self.access_list = options.access_list
        self.limits = options.limits
        self.admission = Admission()
        self._options = options
        self._connections: set[asyncio.Task[None]] = set()
        self._flows: dict[asyncio.StreamWriter, Flow] = {}
        # Counted from the check on: while they wait or shake hands, others must not take their places.
        self._taken = 0

    async def start(self) -> None:
        """
        Listen on loopback.

        :raises ClusterStartError: it can't.
        """
        self._tls = _server_tls(self._options.server_pem) if self._options.server_pem else None
        self._to_server = _client_tls(self._options.ca) if self._options.ca else None
        # Any 127.x address may be the source, so it listens on 127.0.0.1 and nothing wider.
        try:
            listener = self.spec.listener or bound_sockets(1)[0]
            self._listener = await asyncio.start_server(self._serve, sock=listener, backlog=1024)
        except OSError as error:
            raise ClusterStartError(f"{self.spec.name} can't listen on 127.0.0.1: {error.strerror}") from error

    @property
    def port(self) -> int:
        """
        Where it listens.
        """
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """
        Stop listening and end every connection.
        """
        self._listener.close()
        for connection in self._connections:
            connection.cancel()
        for client in self._flows:
            # The end of TLS waits for an answer, and a client that is frozen or gone has none.
            client.transport.abort()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._listener.wait_closed()

    def cut(self) -> None:
        """
        Reset or close the open flows whose network says so now.
        """
        for writer, flow in list(self._flows.items()):
            network, _ = self._options.network.between(flow.source, flow.node)
            if network.cut == "reset":
                reset(writer)
            elif network.cut == "close":
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  a stream server runs each connection as a task
        self._connections.add(task)
        if self._tls is not None:
            # What is read before `start_tls` is lost to it: the ClientHello stays in the kernel while we wait.
            _transport(writer).pause_reading()
        self.counters.accepted += 1
        flow = Flow(writer.get_extra_info("peername")[0], self.spec.name)
        self._flows[writer] = flow
        try:
            reason = await self._connect_through(flow, reader, writer)
            if reason:
                self.counters.refused[reason] += 1
        except Lost:
            # Neither side may learn of it: its sockets stay open until the front ends.
            await asyncio.Event().wait()
        except MalformedMessage:
            self.counters.refused["malformed"] += 1
        except OSError:
            # One of the two has gone away.
            self.counters.refused["gone"] += 1
        except asyncio.CancelledError:
            # The front ends. (asyncio's stream server would report a cancelled connection as an error.)
            return
        finally:
            self._connections.discard(task)
            self._flows.pop(writer, None)
            writer.close()

    async def _connect_through(
        self, flow: Flow, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> str | None:
        """
        Serve one connection; return why it was refused, if it was.
        """
        allowed = self.access_list
        if allowed is not None and not allowed.allows(flow.source):
            _transport(writer).resume_reading()
            await deny(allowed.denial, reader, writer)
            return "access list"
        limit = self.limits.connections
        if limit is not None and self._taken >= limit:
            # As mongod does above --maxConns: accepted, then closed without a word.
            return "limit"
        self._taken += 1
        try:
            return await self._let_in(flow, reader, writer)
        finally:
            self._taken -= 1

    async def _let_in(self, flow: Flow, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str | None:
        rate = self.limits.new_per_second
        if rate is not None:
            refused = await self.admission.admit(rate, lambda: self._has_gone(flow, writer))
            if refused:
                return refused
        network, _ = self._options.network.between(flow.source, flow.node)
        if network.cut != "none":
            if network.cut == "reset":
                reset(writer)
            return "network"
        # A flow exists from here on: it may be lost while it shakes hands.
        flow.last_active = time.monotonic()
        await pass_network(flow, self._options.network)
        try:
            name = await self._shake_hands(writer)
        except OSError:
            return "handshake"
        self.counters.open_by_source[flow.source] += 1
        try:
            await self._copy(flow, name, reader, writer)
        finally:
            self.counters.open_by_source[flow.source] -= 1
        return None

    def _has_gone(self, flow: Flow, writer: asyncio.StreamWriter) -> bool:
        """
        Tell whether the client has closed the connection, as far as the network lets one see it.
        """
        network, since = self._options.network.between(flow.source, flow.node)
        hidden = network.black_hole == "all" or network.forgets(flow.opened, since)
        return not hidden and _has_hung_up(writer)

    async def _shake_hands(self, writer: asyncio.StreamWriter) -> str | None:
        """
        Answer the TLS handshake and return the server name that the client asked for.
        """
        _without_delay(writer)
        if self._tls is None:
            return None
        before = writer.transport
        try:
            await writer.start_tls(self._tls, ssl_handshake_timeout=_HANDSHAKE_SECONDS)
        except AttributeError:
            # It was cut as the handshake ended, and asyncio has no transport for it: the one before is to be closed.
            writer._transport = before  # type: ignore[attr-defined]  # noqa: SLF001
            raise ConnectionResetError(errno.ECONNRESET, "cut in the handshake") from None
        return getattr(writer.get_extra_info("ssl_object"), "server_name_asked", None)

    async def _copy(
        self, flow: Flow, name: str | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        host, port = self.spec.server
        # By the name that the client asked for the server knows which names to answer with (its horizons).
        asked = (name or host) if self._to_server else None
        server = await asyncio.open_connection(host, port, ssl=self._to_server, server_hostname=asked)
        try:
            _without_delay(server[1])
            login = Login(self._options.iam) if self._options.iam else None
            await Connection(
                flow,
                self._options.network,
                client=(reader, writer),
                server=server,
                mongos=self.spec.mongos,
                login=login,
            ).run()
        except Lost:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            # The front ends. The end of TLS waits for an answer, and the server, where a monitor waits for its next
            # hello, has none for ten seconds.
            server[1].transport.abort()
            raise
        finally:
            server[1].close()
            with suppress(OSError):
                await server[1].wait_closed()


def _transport(writer: asyncio.StreamWriter) -> asyncio.Transport:
    # A connection's transport reads and writes; the stream knows of the latter only.
    transport = writer.transport
    assert isinstance(transport, asyncio.Transport)  # noqa: S101
    return transport


def _has_hung_up(writer: asyncio.StreamWriter) -> bool:
    """
    Ask the kernel whether the client has closed or reset the connection; its ClientHello may be unread as yet.
    """
    if writer.transport.is_closing():
        # asyncio was told of a reset already: without TLS it reads while we wait.
        return True
    poll = select.poll()
    poll.register(writer.get_extra_info("socket"), _PEER_CLOSED)
    return bool(poll.poll(0))


def _without_delay(writer: asyncio.StreamWriter) -> None:
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _server_tls(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    def remember(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        connection.server_name_asked = name  # type: ignore[attr-defined]

    context.sni_callback = remember
    return context


def _client_tls(ca: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca))
    # The name is the client's choice; who signed the certificate is what matters between the front and its server.
    context.check_hostname = False
    return context
