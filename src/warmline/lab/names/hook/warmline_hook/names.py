"""
The lab's names, for ``socket`` and for dnspython.
"""

from __future__ import annotations

import os
import socket
from _collections_abc import Sequence
from types import ModuleType

# As the C library does it, so that a server that keeps silent costs the same here.
_TIMEOUT_SECONDS = 5.0
_ATTEMPTS = 2

_A_IN = b"\0\1\0\1"
_NXDOMAIN = 3


class LabNames:
    """
    The lab's domain and its DNS server, from ``lab.mongodb.test@127.0.0.1:5353``.
    """

    def __init__(self, setting: str) -> None:
        self.domain, _, server = setting.partition("@")
        self.host, _, port = server.partition(":")
        self.port = int(port)

    def covers(self, name: str) -> bool:
        name = name.rstrip(".").lower()
        return name == self.domain or name.endswith("." + self.domain)

    def addresses(self, name: str) -> list[str]:
        """
        Ask for a name's addresses, with the errors that ``getaddrinfo`` has for what can go wrong.
        """
        labels = name.rstrip(".").encode("idna").split(b".")
        question = b"".join(bytes([len(label)]) + label for label in labels) + b"\0" + _A_IN
        reply = self._exchange(os.urandom(2) + b"\1\0\0\1\0\0\0\0\0\0" + question)
        code = reply[3] & 15 if reply else None
        if code == _NXDOMAIN:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if not reply or code:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return _read_addresses(reply, 12 + len(question))

    def _exchange(self, query: bytes) -> bytes | None:
        for _ in range(_ATTEMPTS):
            # One address always fits into a datagram. A late answer to the first try does not reach the second socket.
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.settimeout(_TIMEOUT_SECONDS)
                try:
                    sock.connect((self.host, self.port))
                    sock.send(query)
                    return sock.recv(512)
                except OSError:
                    continue
        return None


def _read_addresses(reply: bytes, at: int) -> list[str]:
    found = []
    for _ in range(int.from_bytes(reply[6:8], "big")):
        # The owner's name: labels up to an empty one or to a pointer, which has two bytes.
        while 0 < reply[at] < 0xC0:
            at += 1 + reply[at]
        at += 2 if reply[at] else 1
        length = int.from_bytes(reply[at + 8 : at + 10], "big")
        data = at + 10
        if reply[at : at + 4] == _A_IN:
            found.append(socket.inet_ntoa(reply[data : data + length]))
        at = data + length
    return found


def patch_getaddrinfo(setting: str) -> None:
    """
    Have ``socket.getaddrinfo``, and what is built on it, ask the lab's server for the lab's names.
    """
    lab, ask_machine = LabNames(setting), socket.getaddrinfo

    def getaddrinfo(
        host: bytes | str | None,
        port: bytes | str | int | None,
        family: int = 0,
        type: int = 0,  # noqa: A002  the name it has
        proto: int = 0,
        flags: int = 0,
    ) -> Sequence[object]:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if not isinstance(name, str) or not lab.covers(name) or flags & socket.AI_NUMERICHOST:
            return ask_machine(host, port, family, type, proto, flags)
        addresses = lab.addresses(name)
        if not addresses or family == socket.AF_INET6:
            raise socket.gaierror(socket.EAI_NODATA, "No address associated with hostname")
        return [entry for each in addresses for entry in ask_machine(each, port, family, type, proto, flags)]

    socket.getaddrinfo = getaddrinfo  # type: ignore[assignment]


def patch_default_resolver(module: ModuleType, setting: str) -> None:
    """
    Have the default resolver of ``dns.resolver`` or ``dns.asyncresolver`` ask the lab's server for the lab's names.
    """
    lab = LabNames(setting)
    resolver = module.Resolver(configure=False)
    resolver.nameservers = [lab.host]
    resolver.port = lab.port
    ask_lab = resolver.resolve

    def resolve(qname: object, *args: object, **kwargs: object) -> object:
        if lab.covers(str(qname)):
            return ask_lab(qname, *args, **kwargs)
        # Made only now: it reads the machine's settings, and fails where there are none.
        return module.Resolver().resolve(qname, *args, **kwargs)

    resolver.resolve = resolve
    vars(module)["default_resolver"] = resolver
