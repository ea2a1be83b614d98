from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError, WaitQueueTimeoutError

import warmline
from warmline.lab.cluster import Cluster
from warmline.runtime.deadline import seconds_for_operations

from .context import Context

pytestmark = pytest.mark.usefixtures("on_lambda")

SLOW: dict[str, Any] = {"$where": "sleep(5000) || true"}


@pytest.mark.parametrize(
    ("remaining", "margin", "expected"),
    [
        (3.0, None, 2.7),
        (0.5, None, 0.4),
        (0.1, None, 0.05),
        (900.0, None, 899.0),
        (3.0, 1.0, 2.0),
        (3.0, 5.0, 0.001),
        (0.0, None, 0.001),
        (-1.0, None, 0.001),
    ],
)
def test_a_tenth_of_the_time_is_kept_back_within_bounds(
    remaining: float, margin: float | None, expected: float
) -> None:
    assert seconds_for_operations(remaining, margin) == pytest.approx(expected)


def slow_collection(cluster: Cluster, **options: Any) -> Any:
    found = warmline.connect(cluster.uri, **options)["shop"]["slow-deadline"]
    found.replace_one({"_id": 1}, {"_id": 1}, upsert=True)
    return found


def test_an_operation_that_the_server_is_slow_with_says_so(single: Cluster) -> None:
    slow = slow_collection(single)
    (node,) = single.nodes
    with pytest.raises(PyMongoError) as caught, warmline.invocation(Context(0.6)):
        slow.find_one(SLOW)
    message = str(caught.value)
    assert caught.value.timeout
    assert message.count("warmline: waited 0.") == 1
    assert f"{node.host}:{node.port}" in message
    assert message.partition(", full error")[0].endswith(" s of the invocation are left")


def test_a_server_that_can_not_be_selected_is_named_as_the_reason() -> None:
    client = warmline.connect("mongodb://127.0.0.1:1/", connect=False, serverSelectionTimeoutMS=300)
    # PyMongo looks at its servers each half second, so a little longer than the option says.
    says = r"waited 0\.\d\d s for a server to be selected; 59\.\d\d s"
    with pytest.raises(ServerSelectionTimeoutError, match=says), warmline.invocation(Context(60)):
        client.admin.command("ping")


def test_a_pool_that_is_in_use_is_named_as_the_reason(single: Cluster) -> None:
    slow = slow_collection(single, maxPoolSize=1)
    client = slow.database.client
    busy = threading.Thread(target=lambda: slow.find_one({"$where": "sleep(1500) || true"}))
    busy.start()
    while not client._topology._servers[client.address].pool.active_sockets:
        time.sleep(0.01)
    says = r"for a connection of the pool of 127\.0\.0\.1:\d+; 0\.\d\d s"
    with pytest.raises(WaitQueueTimeoutError, match=says), warmline.invocation(Context(0.5)):
        slow.find_one({})
    busy.join()


def test_a_connection_that_can_not_be_made_is_named_as_the_reason(single: Cluster) -> None:
    client = warmline.connect(single.uri, username="nobody", password="x", connect=False)
    with pytest.raises(PyMongoError) as caught, warmline.invocation(Context(5)):
        client.admin.command("ping")
    # It is no timeout: it stays as PyMongo made it.
    assert not caught.value.timeout
    assert "warmline:" not in str(caught.value)


def test_an_error_that_is_no_timeout_is_left_alone(single: Cluster) -> None:
    client = warmline.connect(single.uri)
    with pytest.raises(PyMongoError) as caught, warmline.invocation(Context(5)):
        client.admin.command("no such command")
    assert "warmline:" not in str(caught.value)


def test_an_error_that_passes_two_invocations_is_explained_once(single: Cluster) -> None:
    slow = slow_collection(single)
    with pytest.raises(PyMongoError) as caught, warmline.invocation(Context(2)), warmline.invocation(Context(0.6)):
        slow.find_one(SLOW)
    assert str(caught.value).count("warmline:") == 1
