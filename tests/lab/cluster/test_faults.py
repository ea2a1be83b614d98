from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from warmline.lab.cluster import Cluster, ClusterSpec, start_cluster
from warmline.lab.cluster.faults import primary_mongod, restart, step_down, wait_until_whole
from warmline.lab.errors import NoPrimary
from warmline.lab.workspace import Workspace

PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """
    One whose members may change their roles; it wants a login, as those on Atlas do.
    """
    with Workspace() as workspace, start_cluster(workspace, ClusterSpec(auth="scram")) as cluster:
        yield cluster


def test_after_a_step_down_another_member_is_primary_and_all_others_follow(cluster: Cluster) -> None:
    before = cluster.primary()
    step_down(cluster)
    wait_until_whole(cluster, PATIENCE_SECONDS)
    assert cluster.primary() != before
    assert before in cluster.secondaries()


def test_a_restarted_server_has_its_data_and_its_place(cluster: Cluster) -> None:
    with MongoClient[dict[str, Any]](cluster.uri) as client:
        client["shop"]["orders"].insert_one({"_id": "before"})
    mongod = primary_mongod(cluster)
    pid = mongod.pid
    restart(mongod)
    assert mongod.pid != pid
    wait_until_whole(cluster, PATIENCE_SECONDS)
    with MongoClient[dict[str, Any]](cluster.uri) as client:
        assert client["shop"]["orders"].find_one({"_id": "before"}) == {"_id": "before"}


def test_a_cluster_with_a_member_down_is_not_whole(cluster: Cluster) -> None:
    wait_until_whole(cluster, PATIENCE_SECONDS)
    down = next(mongod for mongod in cluster.mongods if mongod.node != cluster.primary())
    down.halt(signal.SIGKILL)
    assert not down.is_running
    with pytest.raises(NoPrimary, match="did not become whole again within 0 s"):
        wait_until_whole(cluster, 0.0)
    down.start()
    wait_until_whole(cluster, PATIENCE_SECONDS)
