"""
The contract with PyMongo: every private name that ``warmline.runtime.private`` uses is there and means what we take
it to mean. A PyMongo that fails here needs a look at that module before it is supported.
"""

from __future__ import annotations

import asyncio
import inspect
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import pymongo
import pymongo.asynchronous.auth
import pymongo.synchronous.auth
import pytest
from bson import ObjectId
from pymongo import AsyncMongoClient, MongoClient, ssl_support
from pymongo.errors import ServerSelectionTimeoutError
from pymongo.hello import Hello
from pymongo.pool_options import PoolOptions
from pymongo.server_description import ServerDescription

from warmline.lab.cluster import Cluster
from warmline.lab.cluster.tls import make_certificates
from warmline.runtime import private, trust
from warmline.runtime.waits import WAITS, Waits


class Bare:
    """
    A client of a PyMongo that has lost all its private names.
    """


def test_closed_tells_whether_the_client_was_closed(single: Cluster) -> None:
    client: MongoClient[dict[str, Any]] = MongoClient(single.uri)
    client.admin.command("ping")
    assert not private.is_closed(client)
    client.close()
    assert private.is_closed(client)


def test_every_operation_selects_a_server_and_checks_out_through_the_methods_that_are_wrapped(single: Cluster) -> None:
    with MongoClient[dict[str, Any]](single.uri) as client:
        called = []
        for name in private._CONNECTING:
            method = getattr(client, name)
            assert not inspect.iscoroutinefunction(method)

            def spy(*args: Any, _name: str = name, _method: Any = method, **keywords: Any) -> Any:
                called.append(_name)
                return _method(*args, **keywords)

            vars(client)[name] = spy
        for operation in (
            lambda: client.admin.command("ping"),
            lambda: client["shop"]["contract"].insert_one({}),
            lambda: client["shop"]["contract"].find_one({}),
            lambda: list(client["shop"]["contract"].aggregate([])),
            client.list_database_names,
        ):
            called.clear()
            operation()
            assert "_select_server" in called
            assert {"_checkout", "_conn_from_server"} & set(called)


def test_without_the_private_names_the_fallbacks_hold() -> None:
    assert private.is_closed(Bare()) is False  # type: ignore[type-var]
    assert private.is_open(Bare()) is True  # type: ignore[type-var]
    private.bound_selection(Bare())  # type: ignore[type-var]
    private.explain_until_connected(Bare())  # type: ignore[arg-type]


def test_an_explained_error_keeps_its_type_and_its_details() -> None:
    client: MongoClient[dict[str, Any]] = MongoClient("mongodb://127.0.0.1:1/", serverSelectionTimeoutMS=200)
    private.explain_until_connected(client)
    with pytest.raises(ServerSelectionTimeoutError, match="Next step: ") as caught:
        client.admin.command("ping")
    assert caught.value.timeout
    assert "Topology Description" in str(caught.value)
    client.close()


def server_connections(client: MongoClient[dict[str, Any]], app: str) -> set[int]:
    """
    The server's numbers of the connections that carry this name.
    """
    operations = client.admin.aggregate([{"$currentOp": {"idleConnections": True, "allUsers": True}}])
    return {operation["connectionId"] for operation in operations if operation.get("appName") == app}


def test_a_renewed_client_has_new_connections_only_and_goes_on(single: Cluster) -> None:
    client: MongoClient[dict[str, Any]] = MongoClient(single.uri, appName="renewed", serverMonitoringMode="poll")
    client["shop"]["contract"].insert_one({"_id": "before"})
    before = server_connections(client, "renewed")
    private.renew(client)
    assert client["shop"]["contract"].delete_one({"_id": "before"}).deleted_count == 1
    after = server_connections(client, "renewed")
    assert before
    assert after
    assert not before & after
    client.close()
    assert private.is_closed(client)


def test_an_operation_under_way_when_its_client_is_renewed_succeeds(single: Cluster) -> None:
    class RenewOnce(pymongo.monitoring.ConnectionPoolListener):
        """
        Renews the client between the selection of a server and the checkout.
        """

        armed = False

        def connection_check_out_started(self, event: Any) -> None:
            if RenewOnce.armed:
                RenewOnce.armed = False
                private.renew(client)

        def __getattribute__(self, name: str) -> Any:
            found = object.__getattribute__(self, name)
            is_other_event = name.startswith(("pool_", "connection_")) and name != "connection_check_out_started"
            return (lambda _event: None) if is_other_event else found

    client: MongoClient[dict[str, Any]] = MongoClient(single.uri, event_listeners=[RenewOnce()])
    client.admin.command("ping")
    RenewOnce.armed = True
    assert client["shop"]["contract"].count_documents({"_id": "nothing"}) == 0
    assert not RenewOnce.armed
    assert client.admin.command("ping")["ok"] == 1
    client.close()


def test_a_renewed_client_keeps_its_server_sessions(single: Cluster) -> None:
    with MongoClient[dict[str, Any]](single.uri) as client:
        with client.start_session() as session:
            client.admin.command("ping", session=session)
            used = session.session_id
        private.renew(client)
        with client.start_session() as session:
            client.admin.command("ping", session=session)
            assert session.session_id == used


def test_renewing_leaves_no_thread_behind(single: Cluster) -> None:
    with MongoClient[dict[str, Any]](single.uri) as client:
        client.admin.command("ping")
        before = threading.active_count()
        for _ in range(5):
            private.renew(client)
            client.admin.command("ping")
        until = time.monotonic() + 10
        while threading.active_count() > before and time.monotonic() < until:
            time.sleep(0.1)
        assert threading.active_count() <= before


def test_an_asynchronous_client_is_renewed_too(single: Cluster) -> None:
    async def renew_between_two_operations() -> tuple[set[int], set[int]]:
        async with AsyncMongoClient[dict[str, Any]](single.uri, appName="renewed-async") as client:
            seen = []
            for _ in range(2):
                cursor = await client.admin.aggregate([{"$currentOp": {"idleConnections": True, "allUsers": True}}])
                seen.append({op["connectionId"] async for op in cursor if op.get("appName") == "renewed-async"})
                await private.renew_async(client)
            return seen[0], seen[1]

    before, after = asyncio.run(renew_between_two_operations())
    assert before
    assert after
    assert not before & after


def test_idle_connections_hold_while_the_server_answers_and_keeps_its_role(replica_set: Cluster) -> None:
    with MongoClient[dict[str, Any]](replica_set.uri) as client:
        client.admin.command("ping")
        assert private.idle_connections_hold(client, 1.0)
        primary = next(server for server in client._topology._servers.values() if server.description.is_writable)
        # As it would be after an election that this client has slept through.
        as_secondary = {"ok": 1, "secondary": True, "setName": "warmline", "maxWireVersion": 17}
        primary._description = ServerDescription(primary.description.address, Hello(as_secondary))
        assert not private.idle_connections_hold(client, 1.0)


def gone(client: MongoClient[dict[str, Any]], app: str) -> bool:
    """
    Wait until the server has no connection of this name any more.
    """
    until = time.monotonic() + 5
    while server_connections(client, app):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_a_client_that_starts_over_has_no_connection_and_no_thread_until_its_next_operation(single: Cluster) -> None:
    with MongoClient[dict[str, Any]](single.uri, serverMonitoringMode="poll") as asking:
        assert not server_connections(asking, "over")
        before = set(threading.enumerate())
        client: MongoClient[dict[str, Any]] = MongoClient(single.uri, appName="over")
        orders = client["shop"]["orders"]
        orders.find_one({})
        threads = set(threading.enumerate()) - before
        assert threads
        assert server_connections(asking, "over")
        private.start_over(client)
        assert gone(asking, "over")
        for thread in threads:
            thread.join(5)
        assert not any(thread.is_alive() for thread in threads)
        assert not private.is_open(client)
        orders.find_one({})
        assert server_connections(asking, "over")
        client.close()
        assert private.is_closed(client)


def test_a_client_that_starts_over_uses_none_of_its_server_sessions_again(single: Cluster) -> None:
    with MongoClient[dict[str, Any]](single.uri) as client:
        used = []
        for _ in range(2):
            with client.start_session() as session:
                client.admin.command("ping", session=session)
                used.append(session.session_id)
            private.start_over(client)
        assert used[0] != used[1]


def test_an_asynchronous_client_starts_over_too(single: Cluster) -> None:
    async def scenario(asking: MongoClient[dict[str, Any]]) -> None:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(single.uri, appName="over-async")
        await client.admin.command("ping")
        assert server_connections(asking, "over-async")
        await private.start_over_async(client)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert gone(asking, "over-async")
        await client.admin.command("ping")
        assert server_connections(asking, "over-async")
        await client.close()

    with MongoClient[dict[str, Any]](single.uri) as asking:
        asyncio.run(scenario(asking))


def test_renewed_object_ids_have_another_random_part() -> None:
    parts = []
    for _ in range(2):
        pair = [ObjectId().binary[4:9] for _ in range(2)]
        assert pair[0] == pair[1]
        parts.append(pair[0])
        private.renew_object_ids()
    assert parts[0] != parts[1]


def test_without_its_private_names_a_client_does_not_start_over() -> None:
    with pytest.raises(AttributeError):
        private.start_over(Bare())  # type: ignore[arg-type]


def test_selecting_a_server_takes_no_longer_than_its_option_within_a_longer_timeout() -> None:
    client: MongoClient[dict[str, Any]] = MongoClient("mongodb://127.0.0.1:1/", serverSelectionTimeoutMS=200)
    private.bound_selection(client)
    with pymongo.timeout(60), pytest.raises(ServerSelectionTimeoutError, match=r"Timeout: 0\.[12]"):
        client.admin.command("ping")
    client.close()


def test_an_operation_that_begins_when_the_invocations_time_is_over_waits_for_no_server() -> None:
    client: MongoClient[dict[str, Any]] = MongoClient("mongodb://127.0.0.1:1/", serverSelectionTimeoutMS=200)
    private.bound_selection(client)
    waits = WAITS.set(Waits(until=time.monotonic()))
    # PyMongo tells the time that was left for it: none.
    with pymongo.timeout(60), pytest.raises(ServerSelectionTimeoutError, match=r"Timeout: -"):
        client.admin.command("ping")
    WAITS.reset(waits)
    client.close()


def test_the_tls_context_that_a_client_goes_by_is_the_standard_librarys_and_takes_the_systems_roots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert private.keeps_tls_context()
    client: MongoClient[dict[str, Any]] = MongoClient("mongodb://h/?tls=true", tlsCAFile=trust.ROOTS, connect=False)
    context: Any = client.options.pool_options._ssl_context
    assert type(context) is ssl.SSLContext
    before = context.cert_store_stats()["x509_ca"]
    # What the system's store is here.
    monkeypatch.setenv("SSL_CERT_FILE", str(make_certificates(tmp_path / "tls").ca))
    private.tls_context(client).load_default_certs()
    assert context.cert_store_stats()["x509_ca"] == before + 1
    client.close()


@pytest.mark.parametrize("lost", ["_ssl_context", "HAVE_PYSSL"])
def test_without_it_or_with_pyopenssl_there_are_no_few_roots(lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(PoolOptions, lost) if lost == "_ssl_context" else monkeypatch.setattr(ssl_support, lost, True)
    assert not private.keeps_tls_context()


class Commands(pymongo.monitoring.CommandListener):
    """
    Remembers the names of the commands that it hears of.
    """

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: pymongo.monitoring.CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: pymongo.monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: pymongo.monitoring.CommandFailedEvent) -> None: ...


def test_opening_and_asking_a_connection_shows_in_no_command_event(single: Cluster) -> None:
    heard = Commands()
    with MongoClient[dict[str, Any]](single.uri, event_listeners=[heard], appName="opened") as client:
        private.open_connection(client)
        assert private.idle_connections_hold(client, 1.0)
        assert heard.names == []
        # One for operations, and one monitor or two.
        opened = server_connections(client, "opened")
        assert server_connections(client, "opened") == opened
        assert "aggregate" in heard.names


def test_an_asynchronous_connection_is_opened_and_asked_in_silence_too(single: Cluster) -> None:
    async def names() -> list[str]:
        heard = Commands()
        async with AsyncMongoClient[dict[str, Any]](single.uri, event_listeners=[heard]) as client:
            await private.open_connection_async(client)
            assert await private.idle_connections_hold_async(client, 1.0)
        return heard.names

    assert asyncio.run(names()) in ([], ["endSessions"])


def test_what_is_left_of_an_operations_time_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert private.seconds_left() is None
    with pymongo.timeout(100):
        left = private.seconds_left()
        assert left is not None
        assert 0 < left <= 100
        monkeypatch.delattr("pymongo._csot.remaining")
        assert private.seconds_left() is None
