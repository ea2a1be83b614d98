"""
A cluster that is not the lab's own: reached by its connection string, and watched only with the right to it.
"""

from __future__ import annotations

import pytest
from pymongo import MongoClient

from warmline.lab.atlas import AtlasCluster
from warmline.lab.cluster import Cluster
from warmline.lab.errors import UnusableCluster
from warmline.lab.remote.watch import watch


def test_every_node_is_watched_and_called_by_its_role(replica_set: Cluster) -> None:
    with watch(replica_set.uri) as watched:
        assert list(watched.nodes.values()) == ["primary", "secondary 1", "secondary 2"]
        assert watched.nodes[replica_set.primary().address] == "primary"
        assert watched.version == replica_set.mongod_version
        with MongoClient[dict[str, object]](replica_set.uri, appName="visitor") as client:
            client.admin.command("ping")
            samples = watched.sampler.now()
        assert set(samples) == set(watched.nodes)
        primary = samples[replica_set.primary().address]
        assert primary.by_app["visitor"] >= 1


def test_a_user_without_the_right_is_told_which_role_is_missing(atlas: AtlasCluster) -> None:
    uri = atlas.servers.uri
    with (
        pytest.raises(UnusableCluster, match="give the user of --cluster-uri the role clusterMonitor") as caught,
        watch(uri),
    ):
        pass
    assert atlas.servers.users is not None
    assert atlas.servers.users.application.password not in str(caught.value)


def test_a_user_with_the_right_may(atlas: AtlasCluster) -> None:
    users = atlas.servers.users
    assert users is not None
    uri = atlas.servers.uri.replace(users.application.userinfo, users.monitoring.userinfo)
    with watch(uri) as watched:
        assert list(watched.nodes.values()) == ["primary"]
        assert watched.sampler.now()


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("postgres://host", "the cluster can't be watched: Invalid URI scheme"),
        ("mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300", "the cluster can't be watched: 127.0.0.1:9: "),
    ],
)
def test_a_cluster_that_is_not_there_is_one_line(uri: str, says: str) -> None:
    with pytest.raises(UnusableCluster, match=says) as caught, watch(uri):
        pass
    assert "\n" not in str(caught.value)
