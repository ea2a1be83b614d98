"""
An environment's own side of its network: what is set in its namespace.

Loopback addresses are the lab's, where its servers and names are: a connection to 127.0.0.1 leaves through the link,
unless its port is one of the environment's own. So every connection string, member's address and host name means the
same inside as outside, and no address is translated on the way.

Sources: https://docs.kernel.org/networking/ip-sysctl.html (``route_localnet``, ``accept_local``, ``rp_filter``) and
https://man7.org/linux/man-pages/man8/ip-rule.8.html
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

from .namespace import write_setting
from .netlink import RT_TABLE_LOCAL, Netlink
from .numbers import PortRange

# As AWS's emulator has it. Every environment has it to itself.
RUNTIME_API_PORT = 9001

DEVICE = "eth0"
INDEX = 2
_LOOPBACK_INDEX = 1

_LAB_TABLE = 100
_LOOPBACK = ("127.0.0.0", 8)

# The order in which the kernel looks. It begins with 0, where a namespace has what keeps loopback in it.
_LOST, _RUNTIME_API, _LAB, _LOCAL = 1, 10, 20, 30

_SETTINGS = {
    # The lab's answers come from 127.x on a link that is not loopback: the kernel would take them for forged.
    f"conf/{DEVICE}/route_localnet": "1",
    f"conf/{DEVICE}/accept_local": "1",
    f"conf/{DEVICE}/rp_filter": "0",
    "conf/all/rp_filter": "0",
    # What a destroyed environment could not send must not keep its namespace for minutes.
    "tcp_orphan_retries": "1",
}


@dataclass(frozen=True, slots=True)
class LabEnd:
    """
    What an environment is told of the lab.

    - ``address``, in a block of so many ``bits``, and ``hardware``: the lab's end of the way between them
    - ``ports``: those that lead there, and ``own_ports``: from where the environment's own connections come
    """

    address: str
    bits: int
    hardware: bytes
    ports: tuple[PortRange, ...]
    own_ports: PortRange


def set_up(address: str, lab: LabEnd) -> socket.socket:
    """
    Make the namespace that this thread is in an environment's, and return what listens for its Runtime API.
    """
    for name, value in _SETTINGS.items():
        write_setting(f"ipv4/{name}", value)
    write_setting("ipv4/ip_local_port_range", "{} {}".format(*lab.own_ports))
    kernel = Netlink()
    try:
        kernel.set_up(_LOOPBACK_INDEX)
        kernel.add_address(INDEX, address, lab.bits)
        kernel.set_up(INDEX)
        kernel.put_neighbour(INDEX, lab.address, lab.hardware)
        _come_from(kernel, address, lab)
        kernel.look_up(_RUNTIME_API, RT_TABLE_LOCAL, block=_LOOPBACK, ports=(RUNTIME_API_PORT, RUNTIME_API_PORT))
        for number, ports in enumerate(lab.ports):
            kernel.look_up(_LAB + number, _LAB_TABLE, block=_LOOPBACK, ports=ports)
        kernel.look_up(_LOCAL, RT_TABLE_LOCAL)
        kernel.stop_looking_up(0, RT_TABLE_LOCAL)
    finally:
        kernel.close()
    return socket.create_server(("127.0.0.1", RUNTIME_API_PORT), backlog=128)


def lose_flows(old: str, new: str, lab: LabEnd) -> None:
    """
    Drop what belongs to connections that come from the old address, as when a NAT gateway has forgotten them.
    """
    kernel = Netlink()
    try:
        kernel.add_address(INDEX, new, lab.bits)
        _come_from(kernel, new, lab)
        kernel.drop(_LOST, old)
    finally:
        kernel.close()


def _come_from(kernel: Netlink, address: str, lab: LabEnd) -> None:
    kernel.put_route(*_LOOPBACK, gateway=lab.address, source=address, index=INDEX, table=_LAB_TABLE)
