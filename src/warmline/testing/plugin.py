"""
The pytest plugin: ``mongo_cluster`` and ``lambda_lab``.

pytest imports it at the start of every run, so all that is of the lab is imported by the fixtures.
With pytest-xdist each worker has a lab and a cluster of its own: what one test does to servers reaches no other's.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from warmline.lab.cluster import ClusterSpec
    from warmline.lab.workspace import Workspace

    from .cluster import MongoCluster
    from .lab import LambdaLab

_LAB = pytest.StashKey["LambdaLab"]()


@pytest.fixture(scope="session")
def mongo_cluster_spec() -> ClusterSpec:
    """
    What servers `mongo_cluster` has; a conftest.py that wants others has a fixture of this name.
    """
    _need_the_lab()
    from warmline.lab.cluster import ClusterSpec

    return ClusterSpec()


@pytest.fixture(scope="session")
def mongo_cluster(_warmline_workspace: Workspace, mongo_cluster_spec: ClusterSpec) -> Iterator[MongoCluster]:
    """
    A real replica set on loopback, for all tests of the session; skips where there is no mongod.
    """
    from .cluster import MongoCluster

    with MongoCluster(_warmline_workspace, mongo_cluster_spec) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def lambda_lab(
    request: pytest.FixtureRequest, _warmline_workspace: Workspace, mongo_cluster: MongoCluster
) -> Iterator[LambdaLab]:
    """
    Deploys functions into real Lambda environments that find `mongo_cluster` in MONGODB_URI.
    """
    from .lab import LambdaLab

    with LambdaLab(_warmline_workspace, mongo_cluster, request.config.rootpath) as lab:
        request.session.stash[_LAB] = lab
        try:
            yield lab
        finally:
            del request.session.stash[_LAB]


@pytest.fixture(scope="session")
def _warmline_workspace() -> Iterator[Workspace]:
    """
    Everything that the lab starts and writes, gone with the session.
    """
    _need_the_lab()
    _need_a_mongod()
    from warmline.lab.workspace import Workspace

    with Workspace() as workspace:
        yield workspace


# Old-style: what users have installed may be an older pytest, which must not end because of this plugin.
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, None]:
    """
    End what a test has deployed in its own body; what a fixture has deployed ends where the fixture says.
    """
    lab = item.session.stash.get(_LAB, None)
    with lab.ending_what_is_deployed() if lab is not None else nullcontext():
        yield


def _need_the_lab() -> None:
    try:
        import warmline.lab.aws
        import warmline.lab.cluster  # noqa: F401
    except ModuleNotFoundError as missing:
        pytest.skip(f"the lab needs {missing.name}, which is not installed: pip install 'warmline[lab]'")


def _need_a_mongod() -> None:
    from warmline.lab.cluster import find_mongod
    from warmline.lab.errors import MongodNotFound

    try:
        find_mongod()
    except MongodNotFound as missing:
        # One that was named and is not there is a mistake.
        if "WARMLINE_MONGOD" in os.environ:
            raise
        pytest.skip(str(missing))
