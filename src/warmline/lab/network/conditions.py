"""
What can be wrong with a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BlackHole = Literal["none", "existing", "all"]
Cut = Literal["none", "reset", "close"]


@dataclass(frozen=True, slots=True)
class Network:
    """
    How an environment's traffic fares, in both directions. It can be laid at a cluster's front, or on a link.

    - ``latency_seconds`` and ``jitter_seconds``: added in each direction, the jitter at random; to each message at the
      front, to each packet on a link
    - ``black_hole``: with ``existing`` the flows that are open at the switch are lost for good, as when a NAT gateway
      has forgotten them; with ``all`` nothing passes until the next switch, as in an outage. At a front the kernel
      still answers a new connection's SYN, so its handshake is what hangs; on a link it is the SYN.
    - ``cut``: flows are reset or closed, the open ones and those that come; at a front only
    - ``idle_drop_seconds``: a flow that was idle for so long is lost without a sign, as behind a NAT gateway; at a
      front only
    - ``loss``: the share of packets that are lost, from 0 to 1; on a link only
    """

    latency_seconds: float = 0.0
    jitter_seconds: float = 0.0
    black_hole: BlackHole = "none"
    cut: Cut = "none"
    idle_drop_seconds: float | None = None
    loss: float = 0.0

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
