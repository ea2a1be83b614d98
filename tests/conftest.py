"""
Real parts for all tests: servers and clusters, each started once if a test asks for it.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator

import dns.asyncresolver
import dns.resolver
import pytest

from warmline.lab.atlas import AtlasCluster, AtlasSpec, start_atlas
from warmline.lab.cluster import Cluster, ClusterSpec, start_cluster
from warmline.lab.names.hook.warmline_hook.names import patch_default_resolver, patch_getaddrinfo
from warmline.lab.names.zone import LAB_DOMAIN
from warmline.lab.workspace import Workspace

# In the background (`nohup make test &`) a shell has these ignored, and processes that tests start and interrupt would
# inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def single() -> Iterator[Cluster]:
    with Workspace() as workspace, start_cluster(workspace, ClusterSpec(members=1)) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def replica_set() -> Iterator[Cluster]:
    with Workspace() as workspace, start_cluster(workspace) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def atlas() -> Iterator[AtlasCluster]:
    """
    One member with TLS, users and names.
    """
    with Workspace() as workspace, start_atlas(workspace, AtlasSpec(members=1)) as cluster:
        yield cluster


@pytest.fixture
def use_names_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[AtlasCluster], None]:
    """
    Have this process ask a cluster's DNS server for the lab's names.
    """

    def use(cluster: AtlasCluster) -> None:
        host, port = cluster.names.address
        # So that they come back after the test; the hook itself is made for a process that ends.
        monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)
        patch_getaddrinfo(f"{LAB_DOMAIN}@{host}:{port}")
        for module in (dns.resolver, dns.asyncresolver):
            monkeypatch.setattr(module, "default_resolver", None)
            patch_default_resolver(module, f"{LAB_DOMAIN}@{host}:{port}")

    return use
