from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import opentelemetry.semconv._incubating.metrics.db_metrics as conventions
import pytest
from opentelemetry.metrics import Meter, get_meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, Metric
from opentelemetry.semconv._incubating.attributes import db_attributes
from pymongo import MongoClient
from pymongo.errors import WaitQueueTimeoutError

from warmline.lab.cluster import Cluster
from warmline.runtime.metrics import otel
from warmline.runtime.metrics.pools import Observe, PoolListener

if TYPE_CHECKING:
    from warmline.runtime.metrics.counts import Process

POOL = "db.client.connection.pool.name"
STATE = "db.client.connection.state"


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryMetricReader]:
    """
    A provider of its own: the global one can be set only once in a process.
    """
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(otel, "get_meter", functools.partial(get_meter, meter_provider=provider))
    yield reader
    provider.shutdown()


@pytest.fixture
def observe(process: Process, reader: InMemoryMetricReader) -> Observe:
    return otel.instruments(process)


def read(reader: InMemoryMetricReader) -> dict[str, Metric]:
    data = reader.get_metrics_data()
    assert data is not None
    (resource,) = data.resource_metrics
    (scope,) = resource.scope_metrics
    assert scope.scope.name == "warmline"
    return {metric.name: metric for metric in scope.metrics}


def points(metric: Metric) -> dict[tuple[object, ...], Any]:
    """
    The data points by the values of their attributes: pool, and state if there is one.
    """
    return {
        tuple(value for _, value in sorted((point.attributes or {}).items())): point
        for point in metric.data.data_points
    }


def pool_name(cluster: Cluster) -> str:
    node = cluster.primary()
    return f"{node.host}:{node.port}"


def test_the_pools_are_told_under_the_names_of_the_conventions(
    process: Process, observe: Observe, reader: InMemoryMetricReader, single: Cluster
) -> None:
    pool = pool_name(single)
    with MongoClient[dict[str, Any]](
        single.uri, maxPoolSize=7, minPoolSize=1, event_listeners=[PoolListener(process, observe)]
    ) as client:
        for _ in range(4):
            client.admin.command("ping")
        metrics = read(reader)
    count = points(metrics[conventions.DB_CLIENT_CONNECTION_COUNT])
    assert count.keys() == {(pool, "idle"), (pool, "used")}
    assert count[pool, "idle"].value >= 1
    assert count[pool, "used"].value == 0
    assert points(metrics[conventions.DB_CLIENT_CONNECTION_MAX])[pool,].value == 7
    assert points(metrics[conventions.DB_CLIENT_CONNECTION_IDLE_MAX])[pool,].value == 7
    assert points(metrics[conventions.DB_CLIENT_CONNECTION_IDLE_MIN])[pool,].value == 1
    assert points(metrics[conventions.DB_CLIENT_CONNECTION_PENDING_REQUESTS])[pool,].value == 0
    assert points(metrics[conventions.DB_CLIENT_CONNECTION_WAIT_TIME])[pool,].count == 4
    assert points(metrics[conventions.DB_CLIENT_CONNECTION_USE_TIME])[pool,].count == 4
    create = points(metrics[conventions.DB_CLIENT_CONNECTION_CREATE_TIME])[pool,]
    assert create.count == count[pool, "idle"].value
    # Seconds, and boundaries that tell them apart.
    assert 0 < create.max < 1
    assert create.explicit_bounds[0] == 0.001


def test_a_checkout_that_waits_is_pending_and_then_a_timeout(
    process: Process, observe: Observe, reader: InMemoryMetricReader, single: Cluster
) -> None:
    pool = pool_name(single)
    with MongoClient[dict[str, Any]](
        single.uri, maxPoolSize=1, waitQueueTimeoutMS=300, event_listeners=[PoolListener(process, observe)]
    ) as client:
        slow = client["metrics"]["slow"]
        slow.replace_one({"_id": 1}, {"_id": 1}, upsert=True)
        thread = threading.Thread(target=slow.find_one, args=({"$where": "sleep(1000) || true"},))
        thread.start()
        while not process.in_use:
            time.sleep(0.001)

        def ping() -> None:
            with pytest.raises(WaitQueueTimeoutError):
                client.admin.command("ping")

        waiting = threading.Thread(target=ping)
        waiting.start()
        while not any(pool.waiting for _, pool in process.pools()):
            time.sleep(0.001)
        during = read(reader)
        waiting.join()
        after = read(reader)
        thread.join()
    assert points(during[conventions.DB_CLIENT_CONNECTION_PENDING_REQUESTS])[pool,].value == 1
    assert points(during[conventions.DB_CLIENT_CONNECTION_COUNT])[pool, "used"].value == 1
    assert conventions.DB_CLIENT_CONNECTION_TIMEOUTS not in during
    assert points(after[conventions.DB_CLIENT_CONNECTION_TIMEOUTS])[pool,].value == 1
    assert points(after[conventions.DB_CLIENT_CONNECTION_PENDING_REQUESTS])[pool,].value == 0


def test_two_clients_at_one_server_are_added_up(
    process: Process, observe: Observe, reader: InMemoryMetricReader, single: Cluster
) -> None:
    clients = [
        MongoClient[dict[str, Any]](single.uri, maxPoolSize=2, event_listeners=[PoolListener(process, observe)])
        for _ in range(2)
    ]
    for client in clients:
        client.admin.command("ping")
    metrics = read(reader)
    for client in clients:
        client.close()
    assert points(metrics["db.client.connection.count"])[pool_name(single), "idle"].value == 2
    assert points(metrics["db.client.connection.max"])[pool_name(single),].value == 4


def test_names_units_and_kinds_are_those_of_the_conventions(
    process: Process, observe: Observe, reader: InMemoryMetricReader, single: Cluster
) -> None:
    with MongoClient[dict[str, Any]](single.uri, event_listeners=[PoolListener(process, observe)]) as client:
        client.admin.command("ping")
        observe("timeout", ("127.0.0.1", 1), 1)
        ours = read(reader)
    theirs = agreed()
    assert ours.keys() == theirs.keys()
    for name, metric in ours.items():
        assert (metric.unit, type(metric.data)) == (theirs[name].unit, type(theirs[name].data)), name
        assert getattr(metric.data, "is_monotonic", None) == getattr(theirs[name].data, "is_monotonic", None), name
    assert db_attributes.DB_CLIENT_CONNECTION_POOL_NAME == POOL
    assert db_attributes.DB_CLIENT_CONNECTION_STATE == STATE
    states = {
        attributes[STATE]
        for point in ours["db.client.connection.count"].data.data_points
        if (attributes := point.attributes or {})
    }
    assert states == {state.value for state in db_attributes.DbClientConnectionStateValues}


def agreed() -> dict[str, Metric]:
    """
    The pools' metrics as the conventions' own package makes them.
    """
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    meter: Meter = provider.get_meter("warmline")
    for name in dir(conventions):
        if name.startswith("create_db_client_connection_"):
            instrument = getattr(conventions, name)(meter)
            (instrument.record if hasattr(instrument, "record") else instrument.add)(1)
    found = read(reader)
    provider.shutdown()
    return found
