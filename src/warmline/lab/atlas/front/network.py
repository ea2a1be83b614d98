"""
The network between an environment and a node, and what can be wrong with it.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from dataclasses import dataclass
from typing import Literal

BlackHole = Literal["none", "existing", "all"]
Cut = Literal["none", "reset", "close"]


@dataclass(frozen=True, slots=True)
class Network:
    """
    How messages fare, in both directions.

    - ``latency_seconds`` and ``jitter_seconds``: added to each message in each direction, the jitter at random
    - ``black_hole``: with ``existing`` the flows that are open at the switch are lost for good, as when a NAT gateway
      has forgotten them; with ``all`` nothing passes until the next switch, as in an outage. The kernel still answers
      a new connection's SYN, so its handshake is what hangs.
    - ``cut``: flows are reset or closed, the open ones and those that come
    - ``idle_drop_seconds``: a flow that was idle for so long is lost without a sign, as behind a NAT gateway
    """

    latency_seconds: float = 0.0
    jitter_seconds: float = 0.0
    black_hole: BlackHole = "none"
    cut: Cut = "none"
    idle_drop_seconds: float | None = None

    @property
    def delays(self) -> bool:
        """
        Whether a message takes longer than it has to.
        """
        return self.latency_seconds > 0 or self.jitter_seconds > 0

    def forgets(self, opened: float, since: float) -> bool:
        """
        Tell whether a flow is lost for good that was open when this network was laid.
        """
        return self.black_hole == "existing" and opened < since


CLEAR = Network()


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
        """
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
