from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pymongo
import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from warmline import connect, connect_async
from warmline.lab.cluster import Cluster
from warmline.runtime import loop
from warmline.runtime.secret import renewal, store
from warmline.runtime.secret.reference import Reference, parse
from warmline.runtime.secret.store import Login, secret_of

from .conftest import AWS
from .stub import ExtensionStub

MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1")

Admin = pymongo.MongoClient[dict[str, Any]]


@pytest.fixture
def admin(single: Cluster) -> Iterator[Admin]:
    with pymongo.MongoClient[dict[str, Any]](single.uri, appName="admin") as client:
        before = users(client)
        yield client
        for user in users(client) - before:
            client.admin.command("dropUser", user)


def users(admin: Admin) -> set[str]:
    return {user["user"] for user in admin.admin.command("usersInfo")["users"]}


class Rotation:
    """
    A user of the server whose connection string is a secret.
    """

    def __init__(self, admin: Admin, aws: AWS, cluster: Cluster, name: str, mechanism: str = "DEFAULT") -> None:
        self.admin = admin
        self.aws = aws
        self.cluster = cluster
        self.mechanism = mechanism
        self.name = name
        self.reference = f"secretsmanager:{name}"
        self.create(name, "old/p@ss")
        aws.secret(name, self.uri(name, "old/p@ss"))

    def create(self, user: str, password: str) -> None:
        mechanisms = list(MECHANISMS) if self.mechanism == "DEFAULT" else [self.mechanism]
        self.admin.admin.command("createUser", user, pwd=password, roles=["root"], mechanisms=mechanisms)

    def uri(self, user: str, password: str) -> str:
        mechanism = "" if self.mechanism == "DEFAULT" else f"&authMechanism={self.mechanism}"
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        uri = self.cluster.uri.replace("mongodb://", f"mongodb://{login}@", 1)
        return f"{uri}{'&' if '?' in uri else '?'}authSource=admin{mechanism}"

    def store(self, user: str, password: str) -> None:
        self.aws.rotate(self.name, self.uri(user, password))

    def change_password(self, password: str) -> None:
        self.admin.admin.command("updateUser", self.name, pwd=password)
        self.store(self.name, password)

    def change_user(self, user: str, password: str) -> None:
        self.create(user, password)
        self.store(user, password)
        self.admin.admin.command("dropUser", self.name)

    def forget_the_last_renewal(self) -> None:
        """
        As if ten seconds had passed.
        """
        secret_of(parse(self.reference, ""))._renewed_at = 0.0


@pytest.fixture
def rotation(admin: Admin, aws: AWS, single: Cluster, stub: ExtensionStub, request: pytest.FixtureRequest) -> Rotation:
    """
    Read through the extension, since that is fast.
    """
    name = f"user-{abs(hash(request.node.nodeid))}"
    return Rotation(admin, aws, single, name, getattr(request, "param", "DEFAULT"))


WhoAmI = Callable[[], str]


def synchronous(reference: str, **options: Any) -> WhoAmI:
    client = connect(reference, **options)

    def who_am_i() -> str:
        (user,) = client.admin.command("connectionStatus")["authInfo"]["authenticatedUsers"]
        return str(user["user"])

    return who_am_i


def asynchronous(reference: str, **options: Any) -> WhoAmI:
    client = connect_async(reference, **options)

    async def ask() -> str:
        (user,) = (await client.admin.command("connectionStatus"))["authInfo"]["authenticatedUsers"]
        return str(user["user"])

    return lambda: loop.run(ask())


HALVES = pytest.mark.parametrize("connected", [synchronous, asynchronous])


def refused_logins(admin: Admin) -> int:
    mechanisms = admin.admin.command("serverStatus")["security"]["authentication"]["mechanisms"]
    counts = [mechanisms[name]["authenticate"] for name in MECHANISMS]
    return sum(count["received"] - count["successful"] for count in counts)


# Every operation finds its connection idle for too long, and opens a new one.
NEW_CONNECTIONS: dict[str, Any] = {"maxIdleTimeMS": 1}


def pause() -> None:
    time.sleep(0.005)


@HALVES
def test_after_a_new_password_the_same_client_goes_on(rotation: Rotation, connected: Any) -> None:
    who_am_i = connected(rotation.reference)
    assert who_am_i() == rotation.name
    rotation.change_password("new:p@ss")
    # The connection that is logged in already stays so.
    before = refused_logins(rotation.admin)
    assert who_am_i() == rotation.name
    assert refused_logins(rotation.admin) == before
    cut = {"failCommands": ["connectionStatus"], "closeConnection": True}
    rotation.admin.admin.command("configureFailPoint", "failCommand", mode={"times": 1}, data=cut)
    with pytest.raises(AutoReconnect):
        who_am_i()
    assert who_am_i() == rotation.name
    assert refused_logins(rotation.admin) == before + 1


@HALVES
@pytest.mark.parametrize("rotation", ["DEFAULT", *MECHANISMS], indirect=True)
def test_after_a_renewal_all_new_connections_log_in_at_once(rotation: Rotation, connected: Any) -> None:
    who_am_i = connected(rotation.reference, **NEW_CONNECTIONS)
    for password in ("new:p@ss", "and/another one"):
        rotation.change_password(password)
        rotation.forget_the_last_renewal()
        before = refused_logins(rotation.admin)
        for _ in range(3):
            assert who_am_i() == rotation.name
            pause()
        assert refused_logins(rotation.admin) == before + 1


@HALVES
@pytest.mark.parametrize("rotation", ["DEFAULT", *MECHANISMS], indirect=True)
def test_after_a_rotation_to_another_user_the_same_client_goes_on_as_that_one(
    rotation: Rotation, connected: Any
) -> None:
    who_am_i = connected(rotation.reference, **NEW_CONNECTIONS)
    assert who_am_i() == rotation.name
    other = f"{rotation.name}-clone"
    rotation.change_user(other, "of the other")
    for _ in range(3):
        pause()
        assert who_am_i() == other


@HALVES
def test_a_client_whose_first_login_is_refused_is_renewed_too(rotation: Rotation, connected: Any) -> None:
    # Read in Init, and rotated before the first operation.
    who_am_i = connected(rotation.reference)
    rotation.change_password("new")
    assert who_am_i() == rotation.name


@HALVES
def test_an_unchanged_secret_leaves_the_servers_error_and_is_read_again_once(
    rotation: Rotation, connected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str | None] = []
    original = store._read

    def read(reference: Reference, *, stale: str | None = None) -> str:
        reads.append(stale)
        return original(reference, stale=stale)

    monkeypatch.setattr(store, "_read", read)
    who_am_i = connected(rotation.reference)
    rotation.admin.admin.command("updateUser", rotation.name, pwd="nobody told the secret")
    for _ in range(2):
        with pytest.raises(OperationFailure, match="Authentication failed") as caught:
            who_am_i()
        assert caught.value.code == 18
    assert len(reads) == 2


def test_a_new_login_that_is_refused_too_is_not_tried_again(rotation: Rotation) -> None:
    who_am_i = synchronous(rotation.reference)
    rotation.admin.admin.command("updateUser", rotation.name, pwd="one")
    rotation.store(rotation.name, "another")
    before = refused_logins(rotation.admin)
    with pytest.raises(OperationFailure, match="Authentication failed"):
        who_am_i()
    assert refused_logins(rotation.admin) == before + 2


def test_a_password_that_was_refused_leaves_no_keys_behind(rotation: Rotation) -> None:
    # The server's salt stays as it is when only the secret was wrong, and PyMongo keeps keys by their salt.
    rotation.store(rotation.name, "wrong at first")
    who_am_i = synchronous(rotation.reference)
    rotation.store(rotation.name, "old/p@ss")
    assert who_am_i() == rotation.name


def test_threads_that_are_refused_at_once_go_on_together(rotation: Rotation) -> None:
    who_am_i = synchronous(rotation.reference, maxPoolSize=8)
    rotation.change_password("new")
    together = threading.Barrier(8)

    def ask(_: int) -> str:
        together.wait()
        return who_am_i()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(8))) == [rotation.name] * 8


def test_a_new_client_of_the_same_secret_is_renewed_as_well(rotation: Rotation) -> None:
    synchronous(rotation.reference)()
    rotation.change_password("new")
    assert synchronous(rotation.reference, appName="second")() == rotation.name
    # It was made with the second password, and knows the way to the third.
    third = synchronous(rotation.reference, appName="third")
    rotation.forget_the_last_renewal()
    rotation.change_password("newest")
    assert third() == rotation.name


def test_a_client_of_a_plain_connection_string_is_left_alone(rotation: Rotation) -> None:
    synchronous(rotation.reference)()
    uri = secret_of(parse(rotation.reference, "")).uri()
    with pymongo.MongoClient[dict[str, Any]](uri.replace("old%2Fp%40ss", "wrong")) as client:
        rotation.change_password("new")
        with pytest.raises(OperationFailure, match="Authentication failed"):
            client.admin.command("ping")


@pytest.mark.usefixtures("no_sdk")
def test_a_function_with_the_extension_alone_is_renewed_as_soon_as_that_knows_the_new_value(
    rotation: Rotation, stub: ExtensionStub
) -> None:
    who_am_i = synchronous(rotation.reference, **NEW_CONNECTIONS)
    assert who_am_i() == rotation.name
    rotation.change_password("new")
    stub.refreshes = False
    pause()
    with pytest.raises(OperationFailure, match="Authentication failed"):
        who_am_i()
    # Its five minutes are over.
    stub._kept.clear()
    rotation.forget_the_last_renewal()
    assert who_am_i() == rotation.name


@pytest.mark.parametrize("code", [18, 8000, 13, None])
def test_only_a_refused_login_is_a_reason_to_read_again(
    rotation: Rotation, code: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = secret_of(parse(rotation.reference, ""))
    login = secret.login()
    assert login is not None
    asked: list[Login] = []
    monkeypatch.setattr(secret, "renew", asked.append)

    def refuse(*_: Any) -> None:
        raise OperationFailure("bad auth : Authentication failed.", code)

    client = connect(rotation.reference)
    credentials = client.options.pool_options._credentials
    with pytest.raises(OperationFailure, match="bad auth"):
        renewal._renewing(refuse)(credentials, None)
    assert asked == ([login] if code in {18, 8000} else [])


def test_a_secret_without_a_login_changes_nothing_in_pymongo(aws: AWS) -> None:
    aws.parameter("/no/login", "mongodb://host/")
    before = dict(pymongo.synchronous.auth._AUTH_MAP)
    connect("ssm:/no/login")
    assert before == pymongo.synchronous.auth._AUTH_MAP


def test_a_renewal_by_the_sdk_goes_on_too(admin: Admin, aws: AWS, single: Cluster) -> None:
    rotation = Rotation(admin, aws, single, "by-the-sdk")
    who_am_i = synchronous(rotation.reference)
    rotation.change_password("new")
    assert who_am_i() == rotation.name
