from __future__ import annotations

import asyncio
import time
from typing import Any

import pymongo
import pytest
from pymongo import AsyncMongoClient, MongoClient

import warmline
from warmline.lab.atlas.front import Front, Network
from warmline.lab.cluster import Cluster
from warmline.runtime import private, thaw

pytestmark = pytest.mark.usefixtures("on_lambda")


@warmline.handler
def lambda_handler(event: Any, context: Any) -> Any:
    return event()


def uri_of(front: Front) -> str:
    return f"mongodb://127.0.0.1:{front.faces[0].port}/?directConnection=true"


def freeze(seconds: float) -> None:
    """
    Let the wall clock show that so much time has passed since this process was seen running.
    """
    thaw._freeze.awake_at -= seconds


def new_invocation(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root=1-{number}")


def connections(client: MongoClient[dict[str, Any]], app: str) -> set[int]:
    operations = client.admin.aggregate([{"$currentOp": {"idleConnections": True, "allUsers": True}}])
    return {operation["connectionId"] for operation in operations if operation.get("appName") == app}


@pytest.mark.parametrize(
    ("seconds", "renewed"),
    [(1.0, False), (30.0, False), (61.0, True)],
    ids=["a blink", "half a minute", "longer than maxIdleTimeMS"],
)
def test_connections_that_answer_are_kept_for_as_long_as_maxidletimems_says(
    single: Cluster, seconds: float, renewed: bool
) -> None:
    client = warmline.connect(single.uri, appName="thawed")
    with MongoClient[dict[str, Any]](single.uri) as asking:
        before = connections(asking, "thawed")
        assert before
        freeze(seconds)
        lambda_handler(lambda: client.admin.command("ping"), None)
        after = connections(asking, "thawed")
        assert (not before & after) if renewed else (before <= after)


def test_no_operation_waits_on_a_connection_that_was_lost_while_frozen(front: Front) -> None:
    client = warmline.connect(uri_of(front))
    front.lay(Network(black_hole="existing"))
    freeze(10)
    # Left to itself this would raise: nothing answers on the old connection.
    with pymongo.timeout(1.0):
        assert lambda_handler(lambda: client.admin.command("ping"), None)["ok"] == 1


def test_without_the_decorator_the_first_checkout_of_an_invocation_notices(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = warmline.connect(uri_of(front))
    new_invocation(monkeypatch, 1)
    client.admin.command("ping")
    front.lay(Network(black_hole="existing"))
    new_invocation(monkeypatch, 2)
    freeze(10)
    with pymongo.timeout(1.0):
        assert client.admin.command("ping")["ok"] == 1


def test_a_long_time_between_import_and_init_is_no_freeze(single: Cluster) -> None:
    freeze(1000)
    warmline.connect(single.uri, appName="init")
    with MongoClient[dict[str, Any]](single.uri) as asking:
        # One for operations and one monitor, the first that were made.
        assert len(connections(asking, "init")) == 2
        created = asking.admin.command("serverStatus")["connections"]["totalCreated"]
        client = warmline.connect(single.uri, appName="init")
        client.admin.command("ping")
        assert asking.admin.command("serverStatus")["connections"]["totalCreated"] == created


def test_a_pause_within_one_invocation_is_no_freeze(single: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    client = warmline.connect(single.uri, appName="paused")
    new_invocation(monkeypatch, 1)
    with MongoClient[dict[str, Any]](single.uri) as asking:

        def work() -> None:
            client.admin.command("ping")
            before = connections(asking, "paused")
            freeze(100)
            client.admin.command("ping")
            assert before <= connections(asking, "paused")

        lambda_handler(work, None)


def test_the_end_of_an_invocation_is_when_the_freeze_begins(single: Cluster) -> None:
    warmline.connect(single.uri)
    freeze(100)
    lambda_handler(lambda: None, None)
    assert time.time() - thaw._freeze.awake_at < 50


def test_on_managed_instances_which_never_freeze_nothing_is_renewed(
    single: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_MAX_CONCURRENCY", "4")
    client = warmline.connect(single.uri, appName="managed")
    with MongoClient[dict[str, Any]](single.uri) as asking:
        before = connections(asking, "managed")
        freeze(1000)
        lambda_handler(lambda: client.admin.command("ping"), None)
        assert before <= connections(asking, "managed")


def test_a_client_that_the_function_has_closed_is_left_alone(single: Cluster) -> None:
    warmline.connect(single.uri).close()
    freeze(100)
    assert lambda_handler(lambda: "fine", None) == "fine"


def test_a_cluster_that_is_gone_does_not_stop_the_handler(front: Front) -> None:
    warmline.connect(uri_of(front), serverSelectionTimeoutMS=300)
    front.lay(Network(black_hole="all"))
    freeze(10)
    assert lambda_handler(lambda: "needs no database", None) == "needs no database"
    front.lay(Network())


def test_with_a_pymongo_that_has_lost_the_private_names_a_ping_finds_the_lost_connection(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = warmline.connect(uri_of(front), serverMonitoringMode="poll")
    front.lay(Network(black_hole="existing"))

    def lost(*_: object) -> bool:
        raise AttributeError("_topology")

    monkeypatch.setattr(private, "idle_connections_hold", lost)
    freeze(10)
    with pymongo.timeout(1.5):
        assert lambda_handler(lambda: client.admin.command("ping"), None)["ok"] == 1


def test_an_asynchronous_client_waits_on_no_lost_connection_either(front: Front) -> None:
    client: AsyncMongoClient[dict[str, Any]] = warmline.connect_async(uri_of(front))
    front.lay(Network(black_hole="existing"))
    freeze(10)

    @warmline.handler
    async def asynchronous(event: object, context: object) -> Any:
        return await asyncio.wait_for(client.admin.command("ping"), timeout=1.0)

    assert asynchronous({}, None)["ok"] == 1
