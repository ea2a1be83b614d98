"""
The address that connections come from.
"""

from __future__ import annotations

import socket

# Linux's number, which Python's socket module names since 3.12 only. With it the port is chosen on connect: many
# processes can have this address without running out of ports, since a port may be used once for each peer.
_IP_BIND_ADDRESS_NO_PORT = 24


def patch_connect(egress: str) -> None:
    """
    Bind TCP sockets to the address before they connect to loopback, unless they are bound already.

    It is done in the class that all of Python's sockets are made of, those of ``ssl`` and ``asyncio`` included.
    """
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def bind(sock: socket.socket, address: object) -> None:
        if (
            sock.family == socket.AF_INET
            and sock.type == socket.SOCK_STREAM
            and isinstance(address, tuple)
            and str(address[0]).startswith("127.")
            and sock.getsockname() == ("0.0.0.0", 0)
        ):
            sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((egress, 0))

    def bound_connect(self: socket.socket, address: socket._Address) -> None:
        bind(self, address)
        connect(self, address)

    def bound_connect_ex(self: socket.socket, address: socket._Address) -> int:
        bind(self, address)
        return connect_ex(self, address)

    socket.socket.connect = bound_connect  # type: ignore[assignment, method-assign]
    socket.socket.connect_ex = bound_connect_ex  # type: ignore[assignment, method-assign]
