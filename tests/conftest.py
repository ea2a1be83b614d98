"""
Real parts for all tests: a single mongod and a replica set, each started once if a test asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from warmline.lab.cluster import Cluster, ClusterSpec, start_cluster
from warmline.lab.workspace import Workspace


@pytest.fixture(scope="session")
def single() -> Iterator[Cluster]:
    with Workspace() as workspace, start_cluster(workspace, ClusterSpec(members=1)) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def replica_set() -> Iterator[Cluster]:
    with Workspace() as workspace, start_cluster(workspace) as cluster:
        yield cluster
