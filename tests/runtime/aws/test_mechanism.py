"""
PyMongo's own table with our functions in it, against the server's half of the conversation: what it verifies is what
STS would. Whole logins, over TLS and to a server, are in ``tests/lab/atlas/test_iam.py``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import bson
import pymongo.asynchronous.auth
import pymongo.synchronous.auth
import pytest
from pymongo.auth_shared import _build_credentials_tuple
from pymongo.errors import AutoReconnect, ConfigurationError, OperationFailure

from warmline.lab.iam import AuthenticationFailed, Caller, Credentials, Identities, ServerConversation, environment
from warmline.runtime.aws import container, mechanism

from .endpoint import Endpoint, serving

CALLER = Caller("arn:aws:sts::123456789012:assumed-role/orders/lab", "arn:aws:iam::123456789012:role/orders")
FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"


class Server:
    """
    A connection to the server's half: ``callers`` are who has logged in, ``logins`` how often someone has tried.
    """

    # PyMongo 4.13 looks whether the server knows the mechanism.
    max_wire_version = 17

    def __init__(self, identities: Identities) -> None:
        self.identities = identities
        self.callers: list[Caller] = []
        self.logins = 0
        # Takes an answer of the server's and gives the one that arrives.
        self.altered: Callable[[dict[str, Any]], dict[str, Any]] = lambda answer: answer

    def command(self, database: str, command: dict[str, Any]) -> dict[str, Any]:
        assert database == "$external"
        try:
            if "saslStart" in command:
                assert command["mechanism"] == "MONGODB-AWS"
                self.logins += 1
                self.conversation = ServerConversation(self.identities)
                payload = self.conversation.start(command["payload"])
                return self.altered({"conversationId": 7, "done": False, "payload": payload})
            assert command["conversationId"] == 7
            self.callers.append(self.conversation.finish(command["payload"]))
        except AuthenticationFailed as failed:
            raise OperationFailure(str(failed.answer["errmsg"]), 8000) from None
        return self.altered({"conversationId": 7, "done": True, "payload": b""})


class AsyncServer:
    max_wire_version = 17

    def __init__(self, server: Server) -> None:
        self.server = server

    async def command(self, database: str, command: dict[str, Any]) -> dict[str, Any]:
        return self.server.command(database, command)


LogIn = Callable[..., None]


@pytest.fixture(params=["sync", "async"])
def log_in(request: pytest.FixtureRequest) -> LogIn:
    """
    Log in to a server as PyMongo does, with the user's name and password that the URI may hold.
    """
    asynchronous = request.param == "async"
    mechanism.install(asynchronous=asynchronous)
    auth = pymongo.asynchronous.auth if asynchronous else pymongo.synchronous.auth

    def log_in(
        server: Server, username: str | None = None, password: str | None = None, token: str | None = None
    ) -> None:
        extra = {"authmechanismproperties": {"AWS_SESSION_TOKEN": token}} if token else {}
        credentials = _build_credentials_tuple("MONGODB-AWS", None, username, password, extra, None)
        if asynchronous:
            asyncio.run(auth.authenticate(credentials, AsyncServer(server)))
        else:
            auth.authenticate(credentials, server)

    return log_in


@pytest.fixture
def server(identities: Identities) -> Server:
    return Server(identities)


def use(monkeypatch: pytest.MonkeyPatch, credentials: Credentials) -> None:
    for name, value in environment(credentials).items():
        monkeypatch.setenv(name, value)


def answer(credentials: Credentials) -> tuple[int, bytes]:
    fields = {
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "Token": credentials.session_token,
        "Expiration": f"{credentials.expires_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    return 200, json.dumps(fields).encode()


def test_the_environment_is_read_for_every_login(
    server: Server, log_in: LogIn, identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("orders", "stock"):
        use(monkeypatch, identities.assume_role(name))
        log_in(server)
    assert [caller.database_user.rpartition("/")[2] for caller in server.callers] == ["orders", "stock"]
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(OperationFailure, match="sts call has response 403"):
        log_in(server)


def test_a_users_key_has_no_token(
    server: Server, log_in: LogIn, identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, identities.user_key("ada"))
    log_in(server)
    assert len(server.callers) == 1


def test_what_the_uri_gives_wins_over_the_environment_and_that_over_a_container(
    server: Server, log_in: LogIn, identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    def last() -> str:
        return server.callers[-1].database_user.rpartition("/")[2]

    with serving(answer(identities.assume_role("container"))) as endpoint:
        monkeypatch.setenv(FULL, endpoint.url)
        log_in(server)
        assert last() == "container"
        use(monkeypatch, identities.assume_role("environment"))
        log_in(server)
        assert last() == "environment"
        given = identities.assume_role("uri")
        log_in(server, given.access_key_id, given.secret_access_key, given.session_token)
        assert last() == "uri"


def test_a_containers_credentials_are_fetched_once(
    server: Server, log_in: LogIn, identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(answer(identities.assume_role("orders"))) as endpoint:
        monkeypatch.setenv(FULL, endpoint.url)
        for _ in range(3):
            log_in(server)
    assert len(endpoint.requests) == 1
    assert server.callers == [CALLER] * 3


def test_held_credentials_that_are_refused_are_fetched_again_within_the_login(
    server: Server, log_in: LogIn, identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = identities.assume_role("orders"), identities.assume_role("orders")
    with serving(answer(first), answer(second)) as endpoint:
        monkeypatch.setenv(FULL, endpoint.url)
        log_in(server)
        identities.revoke(first)
        log_in(server)
        log_in(server)
    assert len(endpoint.requests) == 2
    assert server.callers == [CALLER] * 3
    assert server.logins == 4


def test_new_credentials_that_are_refused_are_not_held_and_not_tried_twice(
    server: Server, log_in: LogIn, identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    revoked = identities.assume_role("orders")
    identities.revoke(revoked)
    with serving(answer(revoked)) as endpoint:
        monkeypatch.setenv(FULL, endpoint.url)
        for tries in (1, 2):
            with pytest.raises(OperationFailure, match="sts call has response 403"):
                log_in(server)
            assert (server.logins, len(endpoint.requests)) == (tries, tries)


def test_a_lost_connection_says_nothing_about_the_credentials(
    server: Server, log_in: LogIn, identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_: dict[str, Any]) -> dict[str, Any]:
        raise AutoReconnect("connection closed")

    with serving(answer(identities.assume_role("orders"))) as endpoint:
        monkeypatch.setenv(FULL, endpoint.url)
        log_in(server)
        server.altered = lost
        with pytest.raises(AutoReconnect):
            log_in(server)
        server.altered = lambda answer: answer
        log_in(server)
    assert len(endpoint.requests) == 1


def nonce(change: Callable[[bytes], object]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def altered(message: dict[str, Any]) -> dict[str, Any]:
        return {**message, "s": change(message["s"])}

    return altered


def host(host: object) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda message: {**message, "h": host}


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda message: {other: value for other, value in message.items() if other != name}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (nonce(lambda nonce: nonce[:63]), "invalid nonce"),
        (nonce(lambda nonce: nonce + b"x"), "invalid nonce"),
        (nonce(lambda nonce: nonce[:32]), "invalid nonce"),
        (nonce(lambda _: b""), "invalid nonce"),
        (nonce(lambda nonce: bytes([nonce[0] ^ 1]) + nonce[1:]), "invalid nonce"),
        (nonce(lambda nonce: nonce[:31] + bytes([nonce[31] ^ 1]) + nonce[32:]), "invalid nonce"),
        (nonce(lambda nonce: nonce[32:] + nonce[:32]), "invalid nonce"),
        (nonce(lambda _: "x" * 64), "invalid nonce"),
        (without("s"), "invalid nonce"),
        (without("h"), "no STS host"),
        (host(5), "no STS host"),
        (host(""), "invalid STS host"),
        (host("sts..com"), "invalid STS host"),
        (host("x" * 256), "invalid STS host"),
    ],
)
def test_a_server_that_breaks_the_specification_gets_no_proof(
    server: Server,
    log_in: LogIn,
    identities: Identities,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[dict[str, Any]], dict[str, Any]],
    text: str,
) -> None:
    use(monkeypatch, identities.assume_role("orders"))
    server.altered = lambda answer: {**answer, "payload": bson.encode(change(bson.decode(answer["payload"])))}
    with pytest.raises(OperationFailure, match=text):
        log_in(server)
    assert server.callers == []


def test_a_server_that_asks_for_more_is_refused(
    server: Server, log_in: LogIn, identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, identities.assume_role("orders"))
    server.altered = lambda answer: {**answer, "done": False}
    with pytest.raises(OperationFailure, match="asks for more"):
        log_in(server)


@pytest.mark.parametrize("variables", [{}, {FULL: "http://127.0.0.1/x", "AWS_PROFILE": "other"}])
def test_other_credentials_are_left_to_pymongo(
    server: Server, log_in: LogIn, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    # pymongo-auth-aws's own words: it has looked everywhere.
    with pytest.raises(OperationFailure, match=r"credentials could not be obtained \(pymongo-auth-aws version"):
        log_in(server)
    assert server.logins == 0


@pytest.mark.parametrize("variables", [{}, {FULL: "http://127.0.0.1/x", "AWS_PROFILE": "other"}])
def test_without_pymongo_auth_aws_the_error_names_what_was_looked_for_and_the_extra(
    server: Server, log_in: LogIn, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    monkeypatch.setitem(sys.modules, "pymongo_auth_aws", None)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as raised:
        log_in(server)
    text = str(raised.value)
    for name in ("URI", "AWS_ACCESS_KEY_ID", FULL, "pip install 'warmline[aws]'"):
        assert name in text
    assert "\n" not in text
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_another_error_of_pymongos_own_way_stays_as_it_is(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise ConfigurationError("something else")

    monkeypatch.setitem(pymongo.synchronous.auth._AUTH_MAP, "MONGODB-AWS", failing)
    mechanism.install()
    credentials = _build_credentials_tuple("MONGODB-AWS", None, None, None, {}, None)
    with pytest.raises(ConfigurationError, match="something else"):
        pymongo.synchronous.auth.authenticate(credentials, server)  # type: ignore[arg-type]


def test_arguments_that_we_do_not_know_are_left_to_pymongo(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[object, ...]] = []
    monkeypatch.setitem(pymongo.synchronous.auth._AUTH_MAP, "MONGODB-AWS", lambda *given: seen.append(given))
    mechanism.install()
    pymongo.synchronous.auth._AUTH_MAP["MONGODB-AWS"]("credentials", "connection")
    assert seen == [("credentials", "connection")]


def test_it_is_installed_once(server: Server, log_in: LogIn) -> None:
    halves = (pymongo.synchronous.auth, pymongo.asynchronous.auth)
    for asynchronous in (False, True):
        mechanism.install(asynchronous=asynchronous)
    before = [half._AUTH_MAP["MONGODB-AWS"] for half in halves]
    for asynchronous in (False, True):
        mechanism.install(asynchronous=asynchronous)
    assert [half._AUTH_MAP["MONGODB-AWS"] for half in halves] == before


def test_asking_the_endpoint_does_not_hold_the_loop_up(
    server: Server, identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    mechanism.install(asynchronous=True)
    credentials = _build_credentials_tuple("MONGODB-AWS", None, None, None, {}, None)

    async def release(endpoint: Endpoint) -> None:
        # The endpoint answers only when the loop has gone on.
        while not endpoint.requests:  # noqa: ASYNC110  the endpoint is a thread's
            await asyncio.sleep(0.01)
        endpoint.answering.set()

    async def scenario(endpoint: Endpoint) -> None:
        login = pymongo.asynchronous.auth.authenticate(credentials, AsyncServer(server))  # type: ignore[arg-type]
        await asyncio.gather(login, release(endpoint))

    with serving(answer(identities.assume_role("orders"))) as endpoint:
        endpoint.answering.clear()
        monkeypatch.setenv(FULL, endpoint.url)
        asyncio.run(scenario(endpoint))
        assert len(endpoint.requests) == 1
    assert server.callers == [CALLER]
    assert container.CONTAINER.held() is not None
