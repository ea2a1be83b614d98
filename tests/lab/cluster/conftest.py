"""
Real servers for the tests of this folder.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from warmline.lab.cluster import Cluster, MongodBinary, find_mongod, start_cluster
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
