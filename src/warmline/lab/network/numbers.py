"""
Which addresses environments have, and which ports of theirs lead to the lab.
"""

from __future__ import annotations

import ipaddress
import itertools
import random
import socket
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import NetworkUnavailable

_ROUTES = Path("/proc/net/route")
_PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")

# Private blocks, and the one for benchmarks of networks; those at 10.0 to 10.127 are the ones that others like best.
# Source: https://www.rfc-editor.org/rfc/rfc6890
_CANDIDATES = tuple(
    ipaddress.IPv4Network(block)
    for block in itertools.chain(
        (f"10.{number}.0.0/16" for number in range(128, 256)),
        (f"172.{number}.0.0/16" for number in range(20, 32)),
        ("198.18.0.0/16", "198.19.0.0/16"),
    )
)

# From the first to the last.
PortRange = tuple[int, int]

# DNS, and MongoDB's own: https://www.mongodb.com/docs/manual/reference/default-mongodb-port/
_SERVICES = ((53, 53), (27017, 27020))

# An environment needs some ports of its own for its connections.
_LEAST_PORTS = 4_096


def free_block() -> ipaddress.IPv4Network:
    """
    Choose a block that no route of this machine leads to, at random: another lab may choose at the same time.

    :raises NetworkUnavailable: there is none.
    """
    taken = list(_routes(_ROUTES.read_text().splitlines()[1:]))
    free = [block for block in _CANDIDATES if not any(block.overlaps(other) for other in taken)]
    if not free:
        raise NetworkUnavailable(
            "no private block of addresses is free on this machine: its routes lead to all of them"
        )
    return random.choice(free)  # noqa: S311  no secret


def _routes(lines: Iterable[str]) -> Iterator[ipaddress.IPv4Network]:
    for fields in map(str.split, lines):
        destination, mask = (socket.inet_ntoa(struct.pack("=I", int(fields[column], 16))) for column in (1, 7))
        if mask != "0.0.0.0":
            yield ipaddress.IPv4Network(f"{destination}/{mask}", strict=False)


def lab_ports() -> tuple[PortRange, ...]:
    """
    The ports of an environment's loopback that lead to the lab: those that the kernel gives to its servers, and DNS's
    and MongoDB's own. All others are the environment's.
    """
    return (_given_ports(), *_SERVICES)


def own_ports() -> PortRange:
    """
    The ports that an environment takes for its connections, and for listeners of any port: below those of the lab.

    :raises NetworkUnavailable: too few are left.
    """
    least = _given_ports()[0]
    first = least - 2 * _LEAST_PORTS
    if first < _LEAST_PORTS:
        raise NetworkUnavailable(
            f"programs get ports from {least} on here, which leaves too few for environments: "
            "sysctl net.ipv4.ip_local_port_range='32768 60999' is the kernel's default"
        )
    return first, least - 1


def _given_ports() -> PortRange:
    first, last = _PORT_RANGE.read_text().split()
    return int(first), int(last)
