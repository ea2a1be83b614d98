"""
What goes wrong while numbers are inserted.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from ...atlas import AtlasCluster
from ...atlas.front import CLEAR, Network
from ...cluster import Mongod
from ...cluster.faults import primary_mongod, restart, step_down, wait_until_whole

_DOWN_SECONDS = 5.0
_OUTAGE_SECONDS = 3.0

# A cluster that misses its primary waits ten seconds before an election, and a busy machine starts servers slowly.
_WHOLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One thing that goes wrong; ``happen`` returns when it is over and the cluster is whole again.
    """

    name: str
    label: str
    _begin: Callable[[AtlasCluster], None]

    def happen(self, cluster: AtlasCluster) -> None:
        """
        Make it happen.
        """
        self._begin(cluster)
        wait_until_whole(cluster.servers, _WHOLE_SECONDS)


def _lose_flows(cluster: AtlasCluster) -> None:
    cluster.lay(Network(black_hole="existing"))


def _lose_everything(cluster: AtlasCluster) -> None:
    cluster.lay(Network(black_hole="all"))
    time.sleep(_OUTAGE_SECONDS)
    cluster.lay(CLEAR)


def _kill(mongod: Mongod) -> None:
    mongod.halt(signal.SIGKILL)
    time.sleep(_DOWN_SECONDS)
    mongod.start()
    mongod.wait_until_listening()


def _kill_a_secondary(cluster: AtlasCluster) -> None:
    secondary = cluster.servers.secondaries()[0]
    _kill(next(mongod for mongod in cluster.servers.mongods if mongod.node == secondary))


FAULTS = (
    Fault("step_down", "the primary steps down", lambda cluster: step_down(cluster.servers)),
    Fault("old_flows_black_holed", "the open connections are black-holed", _lose_flows),
    Fault("primary_killed", "the primary is killed for 5 s", lambda cluster: _kill(primary_mongod(cluster.servers))),
    Fault("all_black_holed", "everything is black-holed for 3 s", _lose_everything),
    Fault("secondary_killed", "a secondary is killed for 5 s", _kill_a_secondary),
    Fault("primary_restarted", "the primary restarts", lambda cluster: restart(primary_mongod(cluster.servers))),
)
