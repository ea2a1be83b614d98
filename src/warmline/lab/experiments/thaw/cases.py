"""
What is compared: ways of connecting, and what happens to a cluster, or to the way there, during a freeze.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...atlas import AtlasCluster
from ...atlas.front import CLEAR, Network
from ...aws import Monotonic
from ...cluster.faults import primary_mongod, restart, step_down, wait_until_whole

# An election, at MongoDB's own timeout, and what the servers' start takes on a busy machine.
_WHOLE_SECONDS = 50.0

# The front looks at its open flows a moment after it was told.
_RESET_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Event:
    """
    One thing that happens.

    - ``happen``: makes it happen to the cluster, or to the connections that come from an address
    - ``reachable``: whether the cluster can be reached after it
    - ``own_cluster``: whether it is the cluster that it happens to, which others must not share
    """

    name: str
    label: str
    happen: Callable[[AtlasCluster, str], None]
    reachable: bool = True
    own_cluster: bool = False


def _nothing(_cluster: AtlasCluster, _source: str) -> None:
    return


def _reset(cluster: AtlasCluster, source: str) -> None:
    cluster.lay(Network(cut="reset"), source=source)
    time.sleep(_RESET_SECONDS)
    cluster.lay(CLEAR, source=source)


def _restart(cluster: AtlasCluster, _source: str) -> None:
    restart(primary_mongod(cluster.servers))
    wait_until_whole(cluster.servers, _WHOLE_SECONDS)


def _step_down(cluster: AtlasCluster, _source: str) -> None:
    step_down(cluster.servers)
    wait_until_whole(cluster.servers, _WHOLE_SECONDS)


def _lose_flows(cluster: AtlasCluster, source: str) -> None:
    cluster.lay(Network(black_hole="existing"), source=source)


def _lose_everything(cluster: AtlasCluster, source: str) -> None:
    cluster.lay(Network(black_hole="all"), source=source)


EVENTS = (
    Event("nothing", "nothing happened", _nothing),
    Event("reset", "connections reset", _reset),
    Event("server_restart", "primary restarted", _restart, own_cluster=True),
    Event("step_down", "primary stepped down", _step_down, own_cluster=True),
    Event("old_flows_black_holed", "old connections black-holed", _lose_flows),
    Event("all_black_holed", "everything black-holed", _lose_everything, reachable=False),
)


@dataclass(frozen=True, slots=True)
class Case:
    """
    An event, and what the monotonic clock does during the freeze.
    """

    event: Event
    monotonic: Monotonic

    @property
    def name(self) -> str:
        """
        The name in metrics.
        """
        return f"{self.event.name}_clock_{self.monotonic.replace('-', '_')}"

    @property
    def label(self) -> str:
        """
        The name for people.
        """
        return self.event.label + ("" if self.monotonic == "runs" else ", clock stood still")


def possible_clocks() -> tuple[Monotonic, ...]:
    """
    What the monotonic clock can do here: to stand still it needs Linux and a C compiler.
    """
    can_stop = sys.platform == "linux" and shutil.which("cc") is not None
    return ("runs", "stands-still") if can_stop else ("runs",)


# Nobody's limit, since what plain PyMongo waits is to be seen.
_LONG_TIMEOUT_SECONDS = 150.0


@dataclass(frozen=True, slots=True)
class Variant:
    """
    One way of connecting, with its URI options and the function's timeout.
    """

    name: str
    label: str
    handler: str
    options: str = ""
    timeout_seconds: float = _LONG_TIMEOUT_SECONDS


VARIANTS = (
    Variant("documented", "MongoDB's documented example", "documented"),
    Variant("idle-time", "idle time limit", "documented", "maxIdleTimeMS={idle_time_ms}"),
    Variant("socket-timeout", "socket timeout", "documented", "socketTimeoutMS=2000"),
    Variant("warmline", "warmline", "with_warmline", timeout_seconds=10.0),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What is measured. The freeze outlasts ``maxIdleTimeMS``, which is as MongoDB's page advises it.
    """

    events: Sequence[Event] = EVENTS
    clocks: Sequence[Monotonic] = ("runs", "stands-still")
    variants: Sequence[Variant] = VARIANTS
    freeze_seconds: float = 62.0
    idle_time_ms: int = 60_000

    @property
    def cases(self) -> tuple[Case, ...]:
        """
        Every event with every clock.
        """
        return tuple(Case(event, clock) for event in self.events for clock in self.clocks)

    def address(self, event: Event) -> str:
        """
        Where the connections come from that the event may happen to.
        """
        return f"127.{100 + self.events.index(event)}.0.1"
