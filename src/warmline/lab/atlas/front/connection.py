"""
One client's connection through the front, from its handshake to its end.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...network.conditions import Network
from .login import MECHANISM, Login
from .mongos import as_mongos
from .network import NetworkTable
from .wire import MAX_HANDSHAKE_BYTES, MAX_MESSAGE_BYTES, Message, new_message, read_message

_HELLO = {b"hello", b"isMaster", b"ismaster"}
_SASL = {b"saslStart", b"saslContinue"}

# Our own requests to the server must not be taken for the client's, which count from 0.
_FIRST_OWN_ID = 1 << 30


@dataclass(slots=True)
class Flow:
    """
    What the network knows of a connection: where it comes from, since when it exists, and whether it is lost for good.
    """

    source: str
    node: str
    opened: float = field(default_factory=time.monotonic)
    last_active: float = field(default_factory=time.monotonic)
    lost: bool = False


class Lost(Exception):  # noqa: N818  what has happened to the flow, not a fault
    """
    The network has lost this flow: nothing passes any more, and neither side learns of it.
    """


async def pass_network(flow: Flow, table: NetworkTable) -> None:
    """
    Let one message pass the network: at once, late, after an outage, or never (``Lost``).
    """
    network, since = table.between(flow.source, flow.node)
    idle = time.monotonic() - flow.last_active
    dropped = network.idle_drop_seconds is not None and idle > network.idle_drop_seconds
    if flow.lost or dropped or network.forgets(flow.opened, since):
        flow.lost = True
        raise Lost
    while network.black_hole == "all":
        # Looked at rather than told of: an outage is rare, and TCP too finds out by trying again.
        await asyncio.sleep(0.02)
        network, _ = table.between(flow.source, flow.node)
    if network.delays:
        await asyncio.sleep(_delay(network))
    flow.last_active = time.monotonic()


def _delay(network: Network) -> float:
    return network.latency_seconds + random.uniform(0, network.jitter_seconds)  # noqa: S311  no secret


class Connection:
    """
    Copies messages between a client and a server; looks into handshakes only.
    """

    def __init__(
        self,
        flow: Flow,
        table: NetworkTable,
        *,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        mongos: bool,
        login: Login | None,
    ) -> None:
        self._flow = flow
        self._table = table
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._mongos = mongos
        self._login = login
        self._hellos: set[int] = set()
        self._own: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._ids = itertools.count(_FIRST_OWN_ID)
        self._limit = MAX_HANDSHAKE_BYTES

    async def run(self) -> None:
        """
        Copy until either side ends.

        :raises MalformedMessage: what came is no message; the connection must be closed.
        :raises Lost: the network has lost it; the connection must be left as it is.
        """
        directions = (asyncio.create_task(self._upward()), asyncio.create_task(self._downward()))
        try:
            done, _ = await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            for direction in done:
                direction.result()
            if self._flow.lost:
                raise Lost
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)

    async def _upward(self) -> None:
        while message := await self._next_request():
            await pass_network(self._flow, self._table)
            name = message.command_name()
            if name in _HELLO:
                # A client without a login may send anything next.
                self._limit = MAX_MESSAGE_BYTES
                await self._send_up(self._hello(message))
            elif name in _SASL and self._login is not None and self._login.concerns(message.request()):
                answer = await self._login.answer(message.request(), self._call)
                await self._send_down(new_message(next(self._ids), message.request_id, answer))
            else:
                await self._send_up(message.data)

    async def _downward(self) -> None:
        while message := await read_message(self._from_server, MAX_MESSAGE_BYTES):
            waiting = self._own.pop(message.response_to, None)
            if waiting is not None:
                waiting.set_result(message.reply())
                continue
            await pass_network(self._flow, self._table)
            await self._send_down(self._answer(message) if message.response_to in self._hellos else message.data)

    async def _next_request(self) -> Message | None:
        try:
            message = await read_message(self._from_client, self._limit)
        except OSError:
            await pass_network(self._flow, self._table)
            raise
        if message is None:
            # The client's FIN passes the network as its messages do: late, after an outage, or never.
            await pass_network(self._flow, self._table)
        return message

    def _hello(self, message: Message) -> bytes:
        hello = message.request()
        if self._mongos:
            self._hellos.add(message.request_id)
        speculative = hello.get("speculativeAuthenticate")
        refused = isinstance(speculative, Mapping) and speculative.get("mechanism") == MECHANISM
        if not hello.get("compression") and not refused:
            return message.data
        # Compressed messages could not be looked into, and the server does not know MONGODB-AWS.
        hello.pop("compression", None)
        if refused:
            del hello["speculativeAuthenticate"]
        return message.with_document(hello)

    def _answer(self, message: Message) -> bytes:
        self._hellos.discard(message.response_to)
        if message.more_to_come:
            # The next reply of an exhaust hello answers this one.
            self._hellos.add(message.request_id)
        return message.with_document(as_mongos(message.reply()))

    async def _call(self, command: Mapping[str, Any]) -> dict[str, Any]:
        request_id = next(self._ids)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._own[request_id] = answer
        await self._send_up(new_message(request_id, 0, command))
        return await answer

    async def _send_up(self, data: bytes) -> None:
        self._to_server.write(data)
        await self._to_server.drain()

    async def _send_down(self, data: bytes) -> None:
        self._to_client.write(data)
        await self._to_client.drain()
