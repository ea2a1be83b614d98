from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError, WaitQueueTimeoutError

from warmline.lab.cluster import Cluster, ClusterSpec, start_cluster
from warmline.lab.workspace import Workspace
from warmline.runtime.metrics.counts import Process
from warmline.runtime.metrics.pools import PoolListener
from warmline.runtime.metrics.snapshot import InvocationMetrics

if TYPE_CHECKING:
    from .conftest import CountedClient, Failing

SLOW: dict[str, Any] = {"$where": "sleep(400) || true"}


def test_a_connection_is_counted_once_and_every_checkout(
    process: Process, counted: CountedClient, single: Cluster
) -> None:
    client = counted(single)
    for _ in range(3):
        client.admin.command("ping")
    first = process.snapshot()
    assert (first.connections_created, first.connections_open, first.checkouts) == (1, 1, 3)
    assert (first.connections_in_use, first.connections_in_use_max) == (0, 1)
    assert first.checkout_ms >= first.checkout_ms_max >= first.connect_ms > 0
    assert first.connections_closed == {}


def test_a_snapshot_begins_anew_and_knows_what_is_open(
    process: Process, counted: CountedClient, single: Cluster
) -> None:
    client = counted(single)
    client.admin.command("ping")
    process.snapshot()
    client.admin.command("ping")
    second = process.snapshot()
    assert (second.connections_created, second.connections_open, second.checkouts) == (0, 1, 1)
    third = process.snapshot()
    assert (third.checkouts, third.checkout_ms, third.connect_ms, third.connections_open) == (0, 0, 0, 1)


def test_a_pool_that_is_used_up_is_a_checkout_that_failed_by_timeout(
    process: Process, counted: CountedClient, single: Cluster
) -> None:
    client = counted(single, maxPoolSize=1, waitQueueTimeoutMS=50)
    slow = client["metrics"]["slow"]
    slow.replace_one({"_id": 1}, {"_id": 1}, upsert=True)
    process.snapshot()
    thread = threading.Thread(target=slow.find_one, args=(SLOW,))
    thread.start()
    while not process.in_use:
        time.sleep(0.001)
    with pytest.raises(WaitQueueTimeoutError):
        client.admin.command("ping")
    during = process.snapshot()
    assert during.checkouts_failed == {"timeout": 1}
    assert (during.connections_in_use, during.connections_in_use_max, during.connections_open) == (1, 1, 1)
    thread.join()
    after = process.snapshot()
    # Checked out when its invocation began: it was in use then.
    assert (after.connections_in_use, after.connections_in_use_max) == (0, 1)


def test_operations_at_the_same_time_are_connections_in_use_at_the_same_time(
    process: Process, counted: CountedClient, single: Cluster
) -> None:
    client = counted(single)
    slow = client["metrics"]["slow"]
    slow.replace_one({"_id": 1}, {"_id": 1}, upsert=True)
    threads = [threading.Thread(target=slow.find_one, args=(SLOW,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    metrics = process.snapshot()
    assert (metrics.connections_in_use_max, metrics.connections_in_use) == (3, 0)
    assert metrics.connections_open == metrics.connections_created >= 3


def test_a_connection_that_was_idle_too_long_is_closed_as_idle(
    process: Process, counted: CountedClient, single: Cluster
) -> None:
    client = counted(single, maxIdleTimeMS=20)
    client.admin.command("ping")
    time.sleep(0.1)
    client.admin.command("ping")
    metrics = process.snapshot()
    assert (metrics.connections_created, metrics.connections_open) == (2, 1)
    assert metrics.connections_closed == {"idle": 1}


def test_a_connection_that_the_server_closes_is_closed_by_an_error(
    process: Process, counted: CountedClient, failing: Failing, single: Cluster
) -> None:
    client = counted(single, appName="closing", retryReads=False)
    client.admin.command("ping")
    with failing("closing", ["ping"], {"closeConnection": True}), pytest.raises(PyMongoError):
        client.admin.command("ping")
    metrics = process.snapshot()
    assert metrics.connections_closed == {"error": 1}
    assert (metrics.connections_open, metrics.connections_in_use) == (0, 0)


def test_a_connection_of_a_cleared_pool_is_closed_as_stale(
    process: Process, counted: CountedClient, failing: Failing, single: Cluster
) -> None:
    client = counted(single, appName="stale", heartbeatFrequencyMS=500, serverMonitoringMode="poll")
    client["metrics"]["orders"].find_one({})
    # Shutdown in progress: the driver clears the pool.
    with failing("stale", ["find"], {"errorCode": 91}):
        client["metrics"]["orders"].find_one({})
    metrics = process.snapshot()
    assert metrics.connections_closed == {"stale": 1}
    assert (metrics.connections_created, metrics.connections_open) == (2, 1)


def test_a_closed_client_leaves_no_open_connection(process: Process, counted: CountedClient, single: Cluster) -> None:
    client = counted(single)
    client.admin.command("ping")
    client.close()
    metrics = process.snapshot()
    assert metrics.connections_closed == {"poolClosed": 1}
    assert metrics.connections_open == 0


def test_a_connection_that_can_not_authenticate_was_created_and_closed(
    process: Process, counted: CountedClient, single: Cluster
) -> None:
    client = counted(single, username="nobody", password="canary")
    with pytest.raises(OperationFailure):
        client.admin.command("ping")
    metrics = process.snapshot()
    assert (metrics.connections_created, metrics.connections_open) == (1, 0)
    assert metrics.connections_closed == {"error": 1}
    assert metrics.checkouts_failed == {"connectionError": 1}
    # Never ready, so there is no time to make one.
    assert metrics.connect_ms == 0


def test_a_killed_server_is_seen_by_the_pool_and_by_the_monitor(process: Process, counted: CountedClient) -> None:
    with Workspace() as workspace, start_cluster(workspace, ClusterSpec(members=1)) as cluster:
        client = counted(cluster, serverSelectionTimeoutMS=300)
        client.admin.command("ping")
        assert process.snapshot().connections_open == 1
        os.kill(client.admin.command("serverStatus")["pid"], signal.SIGKILL)
        with pytest.raises(PyMongoError):
            client.admin.command("ping")
        with pytest.raises(ServerSelectionTimeoutError):
            client.admin.command("ping")
        metrics = process.snapshot()
    assert metrics.connections_open == 0
    # Whoever notices first, and with whatever reason: it is counted as closed, and so is every attempt since.
    assert sum(metrics.connections_closed.values()) == 1 + metrics.connections_created
    assert metrics.heartbeats_failed >= 1


def test_the_connections_of_a_lost_client_are_not_open(process: Process) -> None:
    listener = PoolListener(process)
    listener.pools["127.0.0.1", 27017].open = 1
    assert process.snapshot().connections_open == 1
    del listener
    assert process.snapshot().connections_open == 0


def test_an_asynchronous_client_is_counted_too(process: Process, single: Cluster) -> None:
    async def ping() -> None:
        async with AsyncMongoClient[dict[str, Any]](single.uri, event_listeners=[PoolListener(process)]) as client:
            await asyncio.gather(*(client.admin.command("ping") for _ in range(3)))
            seen.append(process.snapshot())

    seen: list[InvocationMetrics] = []
    asyncio.run(ping())
    (metrics,) = seen
    assert metrics.checkouts == 3
    assert metrics.connections_open == metrics.connections_created >= 1
    assert metrics.connect_ms > metrics.connect_authentication_ms > 0
    # In an event loop nobody can say whose sockets they are.
    assert (metrics.connect_dns_ms, metrics.connect_tcp_ms, metrics.connect_tls_ms) == (0, 0, 0)


def test_a_wait_that_was_cancelled_does_not_wait_for_ever(process: Process, single: Cluster) -> None:
    listener = PoolListener(process)

    async def cancelled() -> None:
        async with AsyncMongoClient[dict[str, Any]](
            single.uri, event_listeners=[listener], maxPoolSize=1, serverSelectionTimeoutMS=2000
        ) as client:
            slow = client["metrics"]["slow"]
            await slow.replace_one({"_id": 1}, {"_id": 1}, upsert=True)
            first = asyncio.create_task(slow.find_one(SLOW))
            while not process.in_use:  # noqa: ASYNC110 - it comes true in the driver
                await asyncio.sleep(0.001)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await client.admin.command("ping")
            await first
            await client.admin.command("ping")

    asyncio.run(cancelled())
    assert [pool.waiting for pool in listener.pools.values()] == [0]


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_counts_for_itself(process: Process, counted: CountedClient, single: Cluster) -> None:
    counted(single).admin.command("ping")
    read, write = os.pipe()
    # Held by another thread when the process forks, it would never be released in the child.
    with process.lock:
        pid = os.fork()
    if pid == 0:
        try:
            begun = process.snapshot()
            counted(single).admin.command("ping")
            own = process.snapshot()
            seen = begun.connections_created, begun.connections_open, own.connections_created, own.connections_open
            os.write(write, repr(seen).encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(write)
    assert os.read(read, 100).decode() == "(0, 0, 1, 1)"
    os.close(read)
    metrics = process.snapshot()
    assert (metrics.connections_created, metrics.connections_open) == (1, 1)
