from __future__ import annotations

import os
import time
from collections.abc import Callable

from pymongo import MongoClient

from warmline.lab.cluster import Cluster
from warmline.lab.measure.opened import OpenedConnections, open_sockets


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_connections_are_counted_whatever_a_client_calls_itself_and_once(replica_set: Cluster) -> None:
    opened = OpenedConnections({role: node.log_path for role, node in replica_set.roles().items()})
    assert set(opened.since_last().values()) == {0}
    counts = {"primary": 0, "secondary 1": 0, "secondary 2": 0}

    def all_there() -> bool:
        for role, count in opened.since_last().items():
            counts[role] += count
        return min(counts.values()) > 0

    # A monitor for each member, and one connection for the command: PyMongo polls as it does on Lambda.
    with MongoClient[dict[str, object]](replica_set.uri, serverMonitoringMode="poll") as nameless:
        nameless.admin.command("ping")
        until(all_there)
    # The lab's own are not the function's.
    with MongoClient[dict[str, object]](replica_set.uri, appName="warmline-lab", serverMonitoringMode="poll") as ours:
        ours.admin.command("ping")
    assert counts == {"primary": 2, "secondary 1": 1, "secondary 2": 1}
    assert set(opened.since_last().values()) == {0}


def test_a_process_sockets_are_counted_by_the_address_at_the_other_end(replica_set: Cluster) -> None:
    with MongoClient[dict[str, object]](replica_set.uri, serverMonitoringMode="poll") as client:
        client.admin.command("ping")
        address = replica_set.primary().address
        until(lambda: open_sockets([os.getpid()]).get(address, 0) >= 2)
    # A process that has ended has none.
    assert open_sockets([2**22 + 1]) == {}
