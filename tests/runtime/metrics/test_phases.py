from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from warmline.lab.cluster import Cluster, ClusterSpec, start_cluster
from warmline.lab.workspace import Workspace
from warmline.runtime.metrics.counts import Process
from warmline.runtime.metrics.phases import Making, watch_sockets
from warmline.runtime.metrics.pools import PoolListener
from warmline.runtime.metrics.snapshot import InvocationMetrics


@pytest.fixture(scope="module")
def secured() -> Iterator[Cluster]:
    with Workspace() as workspace, start_cluster(workspace, ClusterSpec(members=1, tls=True, auth="scram")) as cluster:
        yield cluster


def connected(cluster: Cluster) -> InvocationMetrics:
    watch_sockets()
    process = Process()
    with MongoClient[dict[str, Any]](cluster.uri, event_listeners=[PoolListener(process)]) as client:
        client.admin.command("ping")
        return process.snapshot()


def test_making_a_connection_is_split_into_its_parts(secured: Cluster) -> None:
    metrics = connected(secured)
    parts = (
        metrics.connect_dns_ms,
        metrics.connect_tcp_ms,
        metrics.connect_tls_ms,
        metrics.connect_authentication_ms,
    )
    assert min(parts) > 0
    assert sum(parts) == pytest.approx(metrics.connect_ms)
    # Nothing has to be looked up, and SCRAM hashes the password thousands of times.
    assert max(parts) in parts[2:]


def test_without_tls_there_is_no_such_part(single: Cluster) -> None:
    metrics = connected(single)
    assert metrics.connect_tls_ms == 0
    parts = metrics.connect_dns_ms, metrics.connect_tcp_ms, metrics.connect_authentication_ms
    assert min(parts) > 0
    assert sum(parts) == pytest.approx(metrics.connect_ms)


def test_resolving_a_name_is_its_own_part(single: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    resolve = socket.getaddrinfo

    def slowly(*args: Any, **keywords: Any) -> Any:
        time.sleep(0.05)
        return resolve(*args, **keywords)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    metrics = connected(single)
    assert 50 <= metrics.connect_dns_ms < metrics.connect_ms
    assert metrics.connect_tcp_ms < 50


def test_with_pyopenssl_tcp_and_tls_are_not_told_apart(single: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "OpenSSL", sys)
    metrics = connected(single)
    assert (metrics.connect_tcp_ms, metrics.connect_tls_ms) == (0, 0)
    assert metrics.connect_dns_ms > 0
    assert metrics.connect_authentication_ms > 0


def test_a_tls_socket_made_while_authenticating_is_not_the_connections() -> None:
    import socket
    import ssl

    watch_sockets()
    making = Making()
    with socket.socket():
        began = time.monotonic()
        # As when credentials are fetched over HTTPS.
        context = ssl.create_default_context()
        with context.wrap_socket(socket.socket(), server_hostname="localhost"):
            making.stop()
            phases = making.phases(authentication=time.monotonic() - began)
    assert phases.tls is None
    assert phases.dns is not None
    assert phases.tcp is not None
    assert phases.dns + phases.tcp + phases.authentication == pytest.approx(phases.total, abs=1e-3)


def test_a_socket_of_another_thread_or_time_is_not_the_connections() -> None:
    import socket
    import threading

    def make() -> None:
        socket.socket().close()

    watch_sockets()
    making = Making()
    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    making.stop()
    make()
    assert making.phases(authentication=0).dns is None
