"""
Which network lies between an environment and a node.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from dataclasses import dataclass

from ...errors import UnusableNetwork
from ...network.conditions import CLEAR, Network


@dataclass(frozen=True, slots=True)
class _Rule:
    source: ipaddress.IPv4Network | ipaddress.IPv6Network
    node: str | None
    network: Network
    since: float


class NetworkTable:
    """
    Which network lies between which source and node; any thread may change it at any time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Replaced as a whole, so that a reader needs no lock.
        self._rules: tuple[_Rule, ...] = ()

    def put(self, network: Network, *, source: str = "0.0.0.0/0", node: str | None = None) -> None:
        """
        Lay a network between a source (an address or CIDR block) and a node, or all nodes; the newest rule holds.

        :raises UnusableNetwork: it loses packets, of which a front sees none.
        """
        if network.loss:
            raise UnusableNetwork("a front passes messages and can't lose packets: that takes a link of one's own")
        with self._lock:
            rule = _Rule(ipaddress.ip_network(source, strict=False), node, network, time.monotonic())
            kept = tuple(other for other in self._rules if (other.source, other.node) != (rule.source, rule.node))
            self._rules = (rule, *kept)

    def between(self, source: str, node: str) -> tuple[Network, float]:
        """
        The network between an address and a node, and since when it lies there (monotonic clock).
        """
        if not self._rules:
            return CLEAR, 0.0
        address = ipaddress.ip_address(source)
        for rule in self._rules:
            if address in rule.source and rule.node in {None, node}:
                return rule.network, rule.since
        return CLEAR, 0.0
