"""
The IP access list: who may connect, and what the others get.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
from dataclasses import dataclass
from typing import Literal

# What Atlas answers a client whose address is not listed: TLS alert 80, internal_error. Sent as it is, since asyncio
# can't raise an alert of one's choice within a handshake.
_ALERT = bytes.fromhex("15030300020250")

Denial = Literal["alert", "hold", "reset"]


@dataclass(frozen=True, slots=True)
class AccessList:
    """
    Addresses and CIDR blocks that may connect.

    ``denial`` is what the others get: the TLS alert that Atlas sends, a handshake that is never answered, or a reset.
    """

    entries: tuple[str, ...]
    denial: Denial = "alert"

    def __post_init__(self) -> None:
        for entry in self.entries:
            # Says itself what is wrong with which entry.
            ipaddress.ip_network(entry, strict=False)

    def allows(self, address: str) -> bool:
        """
        Tell whether a client from this address may connect.
        """
        source = ipaddress.ip_address(address)
        return any(source in ipaddress.ip_network(entry, strict=False) for entry in self.entries)


async def deny(denial: Denial, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """
    Give a client that may not connect what the list says; return when the connection can be closed.
    """
    if denial == "alert":
        # First its ClientHello: to data that nobody has read the kernel answers with a reset.
        await reader.read(65_536)
        writer.write(_ALERT)
        await writer.drain()
    elif denial == "hold":
        while await reader.read(65_536):
            continue
    else:
        reset(writer)


def reset(writer: asyncio.StreamWriter) -> None:
    """
    End a connection with RST.
    """
    raw: socket.socket | None = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
