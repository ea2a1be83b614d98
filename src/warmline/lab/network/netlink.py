"""
The few messages to the kernel that a network of one's own takes: links, addresses, routes, rules, neighbours.

A socket belongs to the namespace that it is made in, whichever thread uses it. IPv4 only.

Source: https://man7.org/linux/man-pages/man7/rtnetlink.7.html
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from typing import NamedTuple

# Of linux/netlink.h and linux/rtnetlink.h, by their names there.
NLM_F_REQUEST, NLM_F_ACK, NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE = 0x1, 0x4, 0x100, 0x200, 0x400
NLMSG_ERROR = 2
NLA_F_NESTED = 0x8000
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNEIGH, RTM_NEWRULE, RTM_DELRULE = 20, 24, 28, 32, 33
RTPROT_STATIC, RT_SCOPE_UNIVERSE, RTN_UNICAST, RT_TABLE_LOCAL = 4, 0, 1, 255
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PREFSRC = 1, 4, 5, 7

# Of linux/if.h, linux/if_link.h, linux/veth.h and linux/if_bridge.h.
IFF_UP = 0x1
IF_OPER_UP = 6
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MASTER, IFLA_PROTINFO, IFLA_OPERSTATE = 1, 3, 10, 12, 16
IFLA_LINKINFO, IFLA_NET_NS_FD = 18, 28
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
VETH_INFO_PEER = 1
AF_BRIDGE = 7
IFLA_BRPORT_STATE, BR_STATE_DISABLED, BR_STATE_FORWARDING = 1, 0, 3

# Of linux/if_addr.h, linux/neighbour.h and linux/fib_rules.h.
IFA_ADDRESS, IFA_LOCAL = 1, 2
NDA_DST, NDA_LLADDR, NUD_PERMANENT = 1, 2, 0x80
FRA_DST, FRA_SRC, FRA_PRIORITY, FRA_DPORT_RANGE = 1, 2, 6, 24
FR_ACT_TO_TBL, FR_ACT_BLACKHOLE = 1, 6

_HEADER = struct.Struct("IHHII")


class End(NamedTuple):
    """
    A link to be made: its name, its number in its namespace (0: any), and its hardware address (none: any).
    """

    name: str
    number: int
    hardware: bytes = b""


class Netlink:
    """
    A conversation with the kernel about one namespace; every method raises `OSError` with the kernel's reason.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._lock = threading.Lock()

    def close(self) -> None:
        """
        End it.
        """
        self._socket.close()

    def add_bridge(self, end: End) -> None:
        """
        Make a bridge, which is up.
        """
        self._ask(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, _end(end, IFF_UP) + _kind("bridge"), f"bridge {end.name}")

    def add_pair(self, end: End, peer: End, namespace: int, *, bridge: int) -> None:
        """
        Make two links that are each other's end: this one is up, and a port of a bridge; its peer is in a namespace.
        """
        there = _end(peer) + _attribute(IFLA_NET_NS_FD, _number(namespace))
        pair = _kind("veth", _attribute(VETH_INFO_PEER | NLA_F_NESTED, there))
        body = _end(end, IFF_UP) + pair + _attribute(IFLA_MASTER, _number(bridge))
        self._ask(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body, f"link {end.name}")

    def delete_link(self, index: int) -> None:
        """
        Take a link away, and its peer with it.
        """
        self._ask(RTM_DELLINK, 0, _link(index), f"link {index}")

    def set_up(self, index: int) -> None:
        """
        Take a link up.
        """
        self._ask(RTM_NEWLINK, 0, _link(index, IFF_UP), f"link {index}")

    def is_up(self, index: int) -> bool:
        """
        Tell whether a link and its peer are up.
        """
        message = self._ask(RTM_GETLINK, 0, _link(index), f"link {index}")
        at = _HEADER.size + len(_link())
        while at < len(message):
            length, kind = struct.unpack_from("HH", message, at)
            if kind == IFLA_OPERSTATE:
                return message[at + 4] == IF_OPER_UP
            at += length + -length % 4
        return False

    def set_port(self, index: int, *, passes: bool) -> None:
        """
        Have a bridge's port pass everything or nothing.
        """
        state = BR_STATE_FORWARDING if passes else BR_STATE_DISABLED
        port = _attribute(IFLA_PROTINFO | NLA_F_NESTED, _attribute(IFLA_BRPORT_STATE, bytes([state])))
        self._ask(RTM_SETLINK, 0, _link(index, family=AF_BRIDGE) + port, f"port {index}")

    def add_address(self, index: int, address: str, bits: int) -> None:
        """
        Give a link an address in a block of so many bits.
        """
        head = struct.pack("BBBBI", socket.AF_INET, bits, 0, RT_SCOPE_UNIVERSE, index)
        body = head + _address(IFA_LOCAL, address) + _address(IFA_ADDRESS, address)
        self._ask(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, body, f"address {address}")

    def put_neighbour(self, index: int, address: str, hardware: bytes) -> None:
        """
        Tell the hardware address behind an address, so that nobody ever asks for it.
        """
        head = struct.pack("BxxxiHBB", socket.AF_INET, index, NUD_PERMANENT, 0, 0)
        body = head + _address(NDA_DST, address) + _attribute(NDA_LLADDR, hardware)
        self._ask(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, body, f"neighbour {address}")

    def put_route(self, block: str, bits: int, *, gateway: str, source: str, index: int, table: int) -> None:
        """
        Lead a block to a gateway; connections there come from the source.
        """
        body = (
            struct.pack(
                "BBBBBBBBI", socket.AF_INET, bits, 0, 0, table, RTPROT_STATIC, RT_SCOPE_UNIVERSE, RTN_UNICAST, 0
            )
            + _address(RTA_DST, block)
            + _address(RTA_GATEWAY, gateway)
            + _address(RTA_PREFSRC, source)
            + _attribute(RTA_OIF, _number(index))
        )
        self._ask(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, body, f"route {block}/{bits}")

    def look_up(
        self, priority: int, table: int, *, block: tuple[str, int] | None = None, ports: tuple[int, int] | None = None
    ) -> None:
        """
        Ask this table for what goes to a block and these ports, or for everything.
        """
        body = b""
        if block is not None:
            body += _address(FRA_DST, block[0])
        if ports is not None:
            body += _attribute(FRA_DPORT_RANGE, struct.pack("HH", *ports))
        self._rule(RTM_NEWRULE, FR_ACT_TO_TBL, priority, body, table=table, to_bits=block[1] if block else 0)

    def stop_looking_up(self, priority: int, table: int) -> None:
        """
        Take the rule of this priority away.
        """
        self._rule(RTM_DELRULE, FR_ACT_TO_TBL, priority, b"", table=table)

    def drop(self, priority: int, address: str) -> None:
        """
        Drop what comes from an address and what goes to it.
        """
        self._rule(RTM_NEWRULE, FR_ACT_BLACKHOLE, priority, _address(FRA_SRC, address), from_bits=32)
        self._rule(RTM_NEWRULE, FR_ACT_BLACKHOLE, priority, _address(FRA_DST, address), to_bits=32)

    def _rule(
        self,
        message: int,
        action: int,
        priority: int,
        selectors: bytes,
        *,
        table: int = 0,
        to_bits: int = 0,
        from_bits: int = 0,
    ) -> None:
        head = struct.pack("BBBBBxxBI", socket.AF_INET, to_bits, from_bits, 0, table, action, 0)
        flags = NLM_F_CREATE | NLM_F_EXCL if message == RTM_NEWRULE else 0
        self._ask(message, flags, head + selectors + _attribute(FRA_PRIORITY, _number(priority)), f"rule {priority}")

    def _ask(self, message: int, flags: int, body: bytes, what: str) -> bytes:
        # To a question the answer is the acknowledgement.
        flags |= NLM_F_REQUEST if message == RTM_GETLINK else NLM_F_REQUEST | NLM_F_ACK
        header = _HEADER.pack(_HEADER.size + len(body), message, flags, 0, 0)
        with self._lock:
            self._socket.send(header + body)
            answer = self._socket.recv(65_536)
        _, kind, *_ = _HEADER.unpack_from(answer)
        (number,) = struct.unpack_from("i", answer, _HEADER.size)
        if kind == NLMSG_ERROR and number:
            raise OSError(-number, os.strerror(-number), what)
        return answer


def _link(index: int = 0, flags: int = 0, family: int = socket.AF_UNSPEC) -> bytes:
    return struct.pack("BxHiII", family, 0, index, flags, flags)


def _end(end: End, flags: int = 0) -> bytes:
    hardware = _attribute(IFLA_ADDRESS, end.hardware) if end.hardware else b""
    return _link(end.number, flags) + _attribute(IFLA_IFNAME, end.name.encode() + b"\0") + hardware


def _kind(kind: str, data: bytes = b"") -> bytes:
    about = _attribute(IFLA_INFO_KIND, kind.encode() + b"\0") + _attribute(IFLA_INFO_DATA | NLA_F_NESTED, data)
    return _attribute(IFLA_LINKINFO | NLA_F_NESTED, about)


def _address(kind: int, address: str) -> bytes:
    return _attribute(kind, socket.inet_aton(address))


def _number(number: int) -> bytes:
    return struct.pack("I", number)


def _attribute(kind: int, value: bytes) -> bytes:
    padding = b"\0" * (-len(value) % 4)
    return struct.pack("HH", 4 + len(value), kind) + value + padding
