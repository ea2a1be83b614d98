"""
The contract with PyMongo: every private name that ``warmline.runtime.private`` uses is there and means what we take
it to mean. A PyMongo that fails here needs a look at that module before it is supported.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import ServerSelectionTimeoutError

from warmline.lab.cluster import Cluster
from warmline.runtime import private


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
    assert private.is_closed(Bare()) is False  # type: ignore[arg-type]
    private.explain_until_connected(Bare())  # type: ignore[arg-type]


def test_an_explained_error_keeps_its_type_and_its_details() -> None:
    client: MongoClient[dict[str, Any]] = MongoClient("mongodb://127.0.0.1:1/", serverSelectionTimeoutMS=200)
    private.explain_until_connected(client)
    with pytest.raises(ServerSelectionTimeoutError, match="Next step: ") as caught:
        client.admin.command("ping")
    assert caught.value.timeout
    assert "Topology Description" in str(caught.value)
    client.close()
