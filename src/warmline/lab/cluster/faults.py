"""
What happens to a replica set in its life: a step-down, and a member that goes down and comes back.
"""

from __future__ import annotations

import signal
import time
from contextlib import closing

from ..errors import NoPrimary
from .mongod import Mongod
from .replica_set import Cluster, connect_as

# How long a primary that has stepped down does not stand for election.
STEP_DOWN_SECONDS = 10

_POLL_SECONDS = 0.1


def primary_mongod(cluster: Cluster) -> Mongod:
    """
    Return the server that is primary now.

    :raises NoPrimary: none is.
    """
    node = cluster.primary()
    return next(mongod for mongod in cluster.mongods if mongod.node == node)


def step_down(cluster: Cluster) -> None:
    """
    Have the primary hand its office over, as in planned maintenance: connections stay open, another one is elected.

    :raises NoPrimary: none is.
    """
    with closing(connect_as(cluster.primary(), cluster.users.admin if cluster.users else None)) as client:
        client.admin.command("replSetStepDown", STEP_DOWN_SECONDS)


def restart(mongod: Mongod) -> None:
    """
    Stop a server in good order and start it on the same data.
    """
    mongod.halt(signal.SIGTERM)
    mongod.start()
    mongod.wait_until_listening()


def wait_until_whole(cluster: Cluster, seconds: float) -> None:
    """
    Wait until there is a primary and every other member follows it.

    :raises NoPrimary: it is not so in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            cluster.primary()
            if len(cluster.secondaries()) == len(cluster.nodes) - 1:
                return
        except NoPrimary:
            pass
        if time.monotonic() > deadline:
            raise NoPrimary(
                f"{cluster!r} did not become whole again within {seconds:.0f} s: is the machine overloaded?"
            )
        time.sleep(_POLL_SECONDS)
