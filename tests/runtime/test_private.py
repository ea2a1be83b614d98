"""
The contract with PyMongo: every private name that ``warmline.runtime.private`` uses is there and means what we take
it to mean. A PyMongo that fails here needs a look at that module before it is supported.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pymongo.asynchronous.auth
import pymongo.synchronous.auth
import pytest
from pymongo import AsyncMongoClient, MongoClient
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


MECHANISMS = ["MONGODB-AWS", "SCRAM-SHA-256", "SCRAM-SHA-1", "DEFAULT"]


def authentication(asynchronous: bool) -> ModuleType:
    return pymongo.asynchronous.auth if asynchronous else pymongo.synchronous.auth


@pytest.fixture
def pymongos_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Leaves PyMongo's tables as they were.
    """
    for module in (pymongo.synchronous.auth, pymongo.asynchronous.auth):
        monkeypatch.setattr(module, "_AUTH_MAP", dict(module._AUTH_MAP))


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_pymongo_logs_in_through_a_table_by_the_name_of_the_mechanism(mechanism: str, asynchronous: bool) -> None:
    function = authentication(asynchronous)._AUTH_MAP[mechanism]
    # What a partial function has bound already can't be asked for again.
    parameters = inspect.signature(function).parameters.values()
    asked = [parameter.name for parameter in parameters if parameter.default is parameter.empty]
    assert asked == ["credentials", "conn"]
    whole = function.func if isinstance(function, functools.partial) else function
    assert inspect.iscoroutinefunction(whole) is asynchronous


def log_in(cluster: Cluster, mechanism: str, asynchronous: bool, operations: int = 1) -> None:
    """
    Log in as a user of the server and ping as often as wanted over that connection.
    """
    with MongoClient[dict[str, Any]](cluster.uri) as admin:
        if not admin.admin.command("usersInfo", "contract")["users"]:
            admin.admin.command("createUser", "contract", pwd="s3cr3t", roles=[])
    options: dict[str, Any] = {"username": "contract", "password": "s3cr3t"}
    if mechanism != "DEFAULT":
        options["authMechanism"] = mechanism

    async def ping() -> None:
        async with AsyncMongoClient[dict[str, Any]](cluster.uri, **options) as client:
            for _ in range(operations):
                await client.admin.command("ping")

    if asynchronous:
        asyncio.run(ping())
        return
    with MongoClient[dict[str, Any]](cluster.uri, **options) as client:
        for _ in range(operations):
            client.admin.command("ping")


Wrap = Callable[[private.Authenticate], private.Authenticate]


def noting(calls: list[str], name: str) -> Wrap:
    """
    Make a wrap that notes the mechanism of every login, and whether its speculative part has gone well.
    """

    def wrap(original: private.Authenticate) -> private.Authenticate:
        def noted(credentials: Any, connection: Any) -> Any:
            speculative = connection.auth_ctx is not None and connection.auth_ctx.speculate_succeeded()
            calls.append(f"{name} {credentials.mechanism} {'ahead' if speculative else 'from the start'}")
            return original(credentials, connection)

        return noted

    return wrap


@pytest.mark.usefixtures("pymongos_own")
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1", "DEFAULT"])
def test_wraps_go_around_a_login_and_around_each_other_once(
    single: Cluster, mechanism: str, asynchronous: bool
) -> None:
    calls: list[str] = []
    inner, outer = noting(calls, "inner"), noting(calls, "outer")
    for wrap in (inner, outer, inner, outer):
        assert private.around_authentication(mechanism, wrap, asynchronous=asynchronous)
    log_in(single, mechanism, asynchronous)
    assert calls == [f"outer {mechanism} ahead", f"inner {mechanism} ahead"]


# PyMongo 4.13 forgets to await the command that it repeats after the new login.
@pytest.mark.filterwarnings("ignore:coroutine 'AsyncConnection.command' was never awaited:RuntimeWarning")
@pytest.mark.usefixtures("pymongos_own")
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_wrap_is_called_again_when_the_server_asks_for_a_new_login(single: Cluster, asynchronous: bool) -> None:
    calls: list[str] = []
    assert private.around_authentication("SCRAM-SHA-256", noting(calls, "wrap"), asynchronous=asynchronous)
    reauthentication_required = {
        "configureFailPoint": "failCommand",
        "mode": {"times": 1},
        "data": {"failCommands": ["ping"], "errorCode": 391},
    }
    with MongoClient[dict[str, Any]](single.uri) as admin:
        admin.admin.command(reauthentication_required)
    log_in(single, "SCRAM-SHA-256", asynchronous)
    assert calls == ["wrap SCRAM-SHA-256 ahead", "wrap SCRAM-SHA-256 from the start"]


@pytest.mark.usefixtures("pymongos_own")
def test_each_half_of_pymongo_is_wrapped_alone(single: Cluster) -> None:
    calls: list[str] = []
    assert private.around_authentication("DEFAULT", noting(calls, "wrap"), asynchronous=True)
    log_in(single, "DEFAULT", asynchronous=False)
    assert calls == []


@pytest.mark.usefixtures("pymongos_own")
@pytest.mark.parametrize("asynchronous", [False, True])
def test_without_the_table_or_the_mechanism_pymongos_own_way_stays(
    monkeypatch: pytest.MonkeyPatch, asynchronous: bool
) -> None:
    def never(_: private.Authenticate) -> private.Authenticate:
        raise AssertionError

    module = authentication(asynchronous)
    assert not private.around_authentication("CARRIER-PIGEON", never, asynchronous=asynchronous)
    monkeypatch.setattr(module, "_AUTH_MAP", ())
    assert not private.around_authentication("DEFAULT", never, asynchronous=asynchronous)
    monkeypatch.delattr(module, "_AUTH_MAP")
    assert not private.around_authentication("DEFAULT", never, asynchronous=asynchronous)
    monkeypatch.setitem(sys.modules, module.__name__, None)
    monkeypatch.delattr(sys.modules[module.__name__.rpartition(".")[0]], "auth")
    assert not private.around_authentication("DEFAULT", never, asynchronous=asynchronous)


@pytest.mark.parametrize(("asynchronous", "other"), [(False, "asynchronous"), (True, "synchronous")])
def test_the_other_halfs_logins_are_not_imported(asynchronous: bool, other: str) -> None:
    program = (
        "import sys; from warmline.runtime import private; "
        f"private.around_authentication('DEFAULT', lambda original: original, asynchronous={asynchronous}); "
        f"print('pymongo.{other}.auth' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
