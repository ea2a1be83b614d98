"""
What making a connection consists of: DNS, TCP, TLS, and the handshake with authentication.

The driver publishes when it begins to make a connection and when it is ready, and with the latter how long the last
part took, its own handshake with authentication. The boundaries before are taken from Python's audit events: a socket
is made when the name is resolved, and made into a TLS socket when it is connected.

Source: https://docs.python.org/3/library/audit_events.html (``socket.__new__``)
"""

from __future__ import annotations

import asyncio
import sys
from ssl import SSLSocket
from threading import get_ident
from time import monotonic
from typing import Any, NamedTuple

# The connections that are being made, each by one thread.
_under_way: dict[int, Making] = {}


class Phases(NamedTuple):
    """
    How many seconds each part took, ``None`` where that is not known.
    """

    total: float
    dns: float | None
    tcp: float | None
    tls: float | None
    authentication: float


class Making:
    """
    A connection that is being made from now on, by this thread.
    """

    __slots__ = ("_began", "_socket_at", "_thread", "_tls_at")

    def __init__(self) -> None:
        self._began = monotonic()
        self._socket_at: float | None = None
        self._tls_at: float | None = None
        self._thread = get_ident()
        # In an event loop other tasks make sockets in this thread, and a name is resolved in another.
        if not _in_event_loop():
            _under_way[self._thread] = self

    def stop(self) -> None:
        """
        It is made, or could not be.
        """
        if _under_way.get(self._thread) is self:
            del _under_way[self._thread]

    def socket_made(self, made: Any) -> None:
        """
        Note the first socket, and the first that speaks TLS.
        """
        if isinstance(made, SSLSocket):
            self._tls_at = self._tls_at or monotonic()
        else:
            self._socket_at = self._socket_at or monotonic()

    def phases(self, authentication: float) -> Phases:
        """
        Split the time until now, of which the last part took so many seconds.
        """
        ready = monotonic()
        connected = ready - authentication
        dns = tcp = tls = None
        if self._socket_at is not None:
            dns = self._socket_at - self._began
            # With PyOpenSSL a TLS socket is none of Python's, so nobody sees where its part begins. And a socket made
            # after the connection is another's: one that fetches credentials.
            if self._tls_at is not None and self._tls_at <= connected:
                tcp, tls = self._tls_at - self._socket_at, connected - self._tls_at
            elif "OpenSSL" not in sys.modules:
                tcp = connected - self._socket_at
        return Phases(ready - self._began, dns, tcp, tls, authentication)


def watch_sockets() -> None:
    """
    Hear from now on when this process makes a socket. Python can't take that back.
    """
    global _watching  # noqa: PLW0603  one in a process, and for ever
    if not _watching:
        _watching = True
        sys.addaudithook(_audit)


_watching = False


def _audit(event: str, args: tuple[Any, ...]) -> None:
    # Called for everything that Python audits: nearly always there is nothing to do.
    if _under_way and event == "socket.__new__":
        making = _under_way.get(get_ident())
        if making is not None:
            making.socket_made(args[0])


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
