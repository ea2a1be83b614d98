"""
As ``test_private.py``, for logging in: what ``warmline.runtime.private_login`` uses.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pymongo.asynchronous.auth
import pymongo.synchronous.auth
import pytest
from pymongo import AsyncMongoClient, MongoClient

from warmline.lab.cluster import Cluster
from warmline.runtime import private_login


class Bare:
    """
    A connection of a PyMongo that has lost all its private names.
    """


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


def ping(uri: str, asynchronous: bool, **options: Any) -> None:
    """
    Ping over a new client of one half of PyMongo.
    """

    async def awaited() -> None:
        async with AsyncMongoClient[dict[str, Any]](uri, **options) as client:
            await client.admin.command("ping")

    if asynchronous:
        asyncio.run(awaited())
        return
    with MongoClient[dict[str, Any]](uri, **options) as client:
        client.admin.command("ping")


def log_in(cluster: Cluster, mechanism: str, asynchronous: bool) -> None:
    """
    Log in as a user of the server.
    """
    with MongoClient[dict[str, Any]](cluster.uri) as admin:
        if not admin.admin.command("usersInfo", "contract")["users"]:
            admin.admin.command("createUser", "contract", pwd="s3cr3t", roles=[])
    named = {} if mechanism == "DEFAULT" else {"authMechanism": mechanism}
    ping(cluster.uri, asynchronous, username="contract", password="s3cr3t", **named)


Wrap = Callable[[private_login.Authenticate], private_login.Authenticate]


def noting(calls: list[str], name: str) -> Wrap:
    """
    Make a wrap that notes the mechanism of every login, and whether its speculative part has gone well.
    """

    def wrap(original: private_login.Authenticate) -> private_login.Authenticate:
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
        assert private_login.around_authentication(mechanism, wrap, asynchronous=asynchronous)
    log_in(single, mechanism, asynchronous)
    assert calls == [f"outer {mechanism} ahead", f"inner {mechanism} ahead"]


# PyMongo 4.13 forgets to await the command that it repeats after the new login.
@pytest.mark.filterwarnings("ignore:coroutine 'AsyncConnection.command' was never awaited:RuntimeWarning")
@pytest.mark.usefixtures("pymongos_own")
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_wrap_is_called_again_when_the_server_asks_for_a_new_login(single: Cluster, asynchronous: bool) -> None:
    calls: list[str] = []
    assert private_login.around_authentication("SCRAM-SHA-256", noting(calls, "wrap"), asynchronous=asynchronous)
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
    assert private_login.around_authentication("DEFAULT", noting(calls, "wrap"), asynchronous=True)
    log_in(single, "DEFAULT", asynchronous=False)
    assert calls == []


@pytest.mark.usefixtures("pymongos_own")
@pytest.mark.parametrize("asynchronous", [False, True])
def test_without_the_table_or_the_mechanism_pymongos_own_way_stays(
    monkeypatch: pytest.MonkeyPatch, asynchronous: bool
) -> None:
    def never(_: private_login.Authenticate) -> private_login.Authenticate:
        raise AssertionError

    module = authentication(asynchronous)
    assert not private_login.around_authentication("CARRIER-PIGEON", never, asynchronous=asynchronous)
    monkeypatch.setattr(module, "_AUTH_MAP", ())
    assert not private_login.around_authentication("DEFAULT", never, asynchronous=asynchronous)
    monkeypatch.delattr(module, "_AUTH_MAP")
    assert not private_login.around_authentication("DEFAULT", never, asynchronous=asynchronous)
    monkeypatch.setitem(sys.modules, module.__name__, None)
    monkeypatch.delattr(sys.modules[module.__name__.rpartition(".")[0]], "auth")
    assert not private_login.around_authentication("DEFAULT", never, asynchronous=asynchronous)


@pytest.mark.parametrize(("asynchronous", "other"), [(False, "asynchronous"), (True, "synchronous")])
def test_the_other_halfs_logins_are_not_imported(asynchronous: bool, other: str) -> None:
    program = (
        "import sys; from warmline.runtime import private_login; "
        f"private_login.around_authentication('DEFAULT', lambda original: original, asynchronous={asynchronous}); "
        f"print('pymongo.{other}.auth' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def credentials_of(**options: Any) -> Any:
    with MongoClient[dict[str, Any]]("mongodb://app:old@host/", connect=False, **options) as client:
        return client.options.pool_options._credentials


class FakeConnection:
    auth_ctx: object = "speculative"
    negotiated_mechs: object = ["SCRAM-SHA-256"]


@pytest.mark.parametrize("mechanism", ["DEFAULT", "SCRAM-SHA-256", "SCRAM-SHA-1"])
def test_credentials_with_another_login_are_those_of_a_client_that_was_made_with_it(mechanism: str) -> None:
    options = {} if mechanism == "DEFAULT" else {"authMechanism": mechanism}
    old, connection = credentials_of(**options), FakeConnection()
    renewed = private_login.with_login(old, connection, "other", "new", again=False)
    assert renewed == credentials_of(username="other", password="new", **options)
    assert renewed is private_login.with_login(old, connection, "other", "new", again=False)
    assert private_login.with_login(old, connection, "app", "old", again=False) is old
    # Keys that were derived from the old password must not be taken for those of the new one.
    old.cache.data = "derived"
    assert private_login.with_login(old, connection, "app", "new", again=False).cache.data is None


@pytest.mark.parametrize(
    ("username", "again", "kept"),
    [("app", False, (True, True)), ("app", True, (False, True)), ("other", False, (False, False))],
)
def test_a_login_begun_is_gone_on_with_if_it_is_the_same_users(
    username: str, again: bool, kept: tuple[bool, bool]
) -> None:
    connection = FakeConnection()
    private_login.with_login(credentials_of(), connection, username, "new", again=again)
    assert (connection.auth_ctx is not None, connection.negotiated_mechs is not None) == kept


def test_a_connection_has_the_names_that_a_begun_login_is_forgotten_by(single: Cluster) -> None:
    with MongoClient[dict[str, Any]](single.uri) as client:
        client.admin.command("ping")
        (server,) = client._topology._servers.values()
        with server.pool.checkout() as connection:
            assert connection.auth_ctx is None
            assert connection.negotiated_mechs is None


def test_credentials_of_an_unknown_form_stay_as_they_are() -> None:
    bare = type("Bare", (), {"username": "app", "password": "old"})()
    assert private_login.with_login(bare, FakeConnection(), "app", "new", again=False) is bare


def aws_credentials(asynchronous: bool, **options: Any) -> Any:
    """
    What PyMongo makes of a client's options and gives its function for MONGODB-AWS.
    """
    kind = AsyncMongoClient if asynchronous else MongoClient
    client: Any = kind("mongodb://127.0.0.1:1/", authMechanism="MONGODB-AWS", connect=False, **options)
    return client.options.pool_options._credentials


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_aws_login_is_read_from_pymongos_own_arguments(asynchronous: bool) -> None:
    connection = SimpleNamespace(command=lambda *given: given)
    token = {"AWS_SESSION_TOKEN": "token"}
    credentials = aws_credentials(asynchronous, username="key", password="secret", authMechanismProperties=token)
    login = private_login.aws_login(credentials, connection)
    assert login is not None
    *given, command = login
    assert given == ["key", "secret", "token"]
    assert command({"saslStart": 1}) == ("$external", {"saslStart": 1})
    login = private_login.aws_login(aws_credentials(asynchronous), connection)
    assert login is not None
    assert login[:3] == (None, None, None)


@pytest.mark.usefixtures("pymongos_own")
@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_aws_login_sends_its_commands_over_pymongos_connection(single: Cluster, asynchronous: bool) -> None:
    answers = []

    def sync(_: private_login.Authenticate) -> private_login.Authenticate:
        def authenticate(credentials: Any, connection: Any) -> None:
            login = private_login.aws_login(credentials, connection)
            assert login is not None
            answers.append(login[3]({"ping": 1}))

        return authenticate

    def awaited(_: private_login.Authenticate) -> private_login.Authenticate:
        async def authenticate(credentials: Any, connection: Any) -> None:
            login = private_login.aws_login(credentials, connection)
            assert login is not None
            answers.append(await login[3]({"ping": 1}))

        return authenticate

    private_login.around_authentication("MONGODB-AWS", awaited if asynchronous else sync, asynchronous=asynchronous)
    ping(single.uri, asynchronous, authMechanism="MONGODB-AWS")
    assert [answer["ok"] for answer in answers] == [1]


@pytest.mark.parametrize("lost", ["username", "password", "mechanism_properties"])
def test_an_aws_login_of_another_form_is_not_read(lost: str) -> None:
    fields = {"username": None, "password": None, "mechanism_properties": SimpleNamespace(aws_session_token=None)}
    connection = SimpleNamespace(command=print)
    assert private_login.aws_login(SimpleNamespace(**fields), connection) is not None
    assert private_login.aws_login(SimpleNamespace(**fields), Bare()) is None
    del fields[lost]
    assert private_login.aws_login(SimpleNamespace(**fields), connection) is None
