"""
Real servers for the tests of this folder.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient

from warmline.lab.cluster import Cluster, ClusterSpec, MongodBinary, connect_as, find_mongod, start_cluster
from warmline.lab.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def binary() -> MongodBinary:
    return find_mongod()


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


@pytest.fixture(scope="session")
def three_members() -> Iterator[Cluster]:
    """
    One cluster for all tests that only look at it or write to it.
    """
    started = time.monotonic()
    with Workspace() as workspace, start_cluster(workspace) as cluster:
        print(f"three members were ready in {time.monotonic() - started:.2f} s")
        yield cluster
    assert workspace.swept == 0


@pytest.fixture(scope="session")
def secure() -> Iterator[Cluster]:
    """
    The same with TLS, users and public names, the last one on a port of its own choice.
    """
    public = ("shop-00.example.net", "shop-01.example.net", "shop-02.example.net:27099")
    spec = ClusterSpec(members=3, tls=True, auth="scram")
    with Workspace() as workspace, start_cluster(workspace, spec, public=public) as cluster:
        yield cluster
    assert workspace.swept == 0


@pytest.fixture
def administrator(secure: Cluster) -> Iterator[MongoClient[dict[str, Any]]]:
    """
    A client of the secure cluster's primary that may do everything.
    """
    assert secure.users
    with connect_as(secure.primary(), secure.users.admin) as client:
        yield client
