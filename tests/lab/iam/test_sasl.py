from __future__ import annotations

import base64
import random
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import pytest
from bson.binary import Binary
from bson.int64 import Int64
from pymongo_auth_aws import PyMongoAuthAwsError

from warmline.lab.iam import (
    AuthenticationFailed,
    Caller,
    Identities,
    Refusal,
    ServerConversation,
    environment,
)
from warmline.lab.iam.sasl import MAX_PAYLOAD_BYTES, utc_now

from .driver import authenticate, driver
from .randomness import seeded

BY_STS = "bad auth : aws sts call has response 403"
MALFORMED = "bad auth : malformed payload"

# The conversation in the specification, in its own encoding.
SPEC_CLIENT_FIRST = base64.b64decode("NAAAAAVyACAAAAAAWj0lSjp8M0BMKGU+QVAzRSpWfk0hJigqO1V+b0FaVz4QcABuAAAAAA==")
SPEC_SERVER_FIRST = base64.b64decode(
    "ZgAAAAVzAEAAAAAAWj0lSjp8M0BMKGU+QVAzRSpWfk0hJigqO1V+b0FaVz5Rj7x9UOBHJLvPgvgPS9sSzZUWgAPTy8HBbI1cG1WJ9gJoABIAAAB"
    "zdHMuYW1hem9uYXdzLmNvbQAA"
)
SPEC_CLIENT_SECOND = base64.b64decode(
    "LQEAAAJhAAkBAABBV1M0LUhNQUMtU0hBMjU2IENyZWRlbnRpYWw9QUtJQUlDR1ZMS09LWlZZM1gzREEvMjAxOTExMTIvdXMtZWFzdC0xL3N0cy9"
    "hd3M0X3JlcXVlc3QsIFNpZ25lZEhlYWRlcnM9Y29udGVudC1sZW5ndGg7Y29udGVudC10eXBlO2hvc3Q7eC1hbXotZGF0ZTt4LW1vbmdvZGItZ3"
    "MyLWNiLWZsYWc7eC1tb25nb2RiLXNlcnZlci1ub25jZSwgU2lnbmF0dXJlPThhMTI0NGZjODYyZTI5YjZiZjc0OTFmMmYwNDE5NDY2ZGNjOTFmZ"
    "WU1MTJhYTViM2ZmZjQ1NDY3NDEwMjJiMmUAAmQAEQAAADIwMTkxMTEyVDIxMDEyMloAAA=="
)

Use = Callable[[dict[str, str]], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """
    Give the driver its credentials.
    """

    def use(variables: dict[str, str]) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return use


def refusal(conversation: ServerConversation) -> AuthenticationFailed:
    with pytest.raises(AuthenticationFailed) as failed:
        authenticate(conversation)
    return failed.value


def test_a_role_authenticates_with_a_functions_environment(identities: Identities, use: Use) -> None:
    use(environment(identities.assume_role("service-role/app", "orders-api")))

    assert authenticate(ServerConversation(identities)) == Caller(
        caller_arn="arn:aws:sts::123456789012:assumed-role/app/orders-api",
        database_user="arn:aws:iam::123456789012:role/app",
    )


def test_a_user_authenticates_without_a_token(identities: Identities, use: Use) -> None:
    use(environment(identities.user_key("engineering/bob")))

    arn = "arn:aws:iam::123456789012:user/engineering/bob"
    assert authenticate(ServerConversation(identities)) == Caller(arn, arn)


@pytest.mark.parametrize("host", ["sts.amazonaws.com", "sts.eu-central-1.amazonaws.com", "localhost", "x" * 255])
def test_the_driver_signs_for_the_servers_sts_host(identities: Identities, use: Use, host: str) -> None:
    use(environment(identities.assume_role("app")))

    authenticate(ServerConversation(identities, sts_host=host))


def test_a_host_that_the_driver_would_refuse_is_refused_at_once(identities: Identities) -> None:
    with pytest.raises(ValueError, match="is not an STS host"):
        ServerConversation(identities, sts_host="sts..com")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda variables: {**variables, "AWS_SECRET_ACCESS_KEY": "wrong"}, Refusal.WRONG_SIGNATURE),
        (lambda variables: {**variables, "AWS_SESSION_TOKEN": "wrong"}, Refusal.WRONG_TOKEN),
        (lambda variables: {**variables, "AWS_ACCESS_KEY_ID": "ASIAUNKNOWN"}, Refusal.UNKNOWN_ACCESS_KEY),
        (
            lambda variables: {name: variables[name] for name in variables if name != "AWS_SESSION_TOKEN"},
            Refusal.MISSING_TOKEN,
        ),
    ],
)
def test_wrong_credentials_are_refused_as_by_sts(
    identities: Identities, use: Use, spoil: Callable[[dict[str, str]], dict[str, str]], reason: Refusal
) -> None:
    use(spoil(environment(identities.assume_role("app"))))

    failed = refusal(ServerConversation(identities))

    assert failed.reason is reason
    assert failed.answer == {"ok": 0.0, "errmsg": BY_STS, "code": 8000, "codeName": "AtlasError"}


def test_a_token_with_a_users_key_is_refused(identities: Identities, use: Use) -> None:
    use({**environment(identities.user_key("bob")), "AWS_SESSION_TOKEN": "of somebody else"})

    failed = refusal(ServerConversation(identities))

    assert (failed.reason, failed.message) == (Refusal.UNEXPECTED_TOKEN, BY_STS)


def test_expired_credentials_are_refused(identities: Identities, use: Use) -> None:
    credentials = identities.assume_role("app")
    use(environment(credentials))
    authenticate(ServerConversation(identities))

    identities.expire(credentials)
    failed = refusal(ServerConversation(identities))

    assert (failed.reason, failed.message) == (Refusal.EXPIRED_CREDENTIALS, BY_STS)


def test_credentials_expire_by_themselves(identities: Identities, use: Use) -> None:
    use(environment(identities.assume_role("app", lifetime_seconds=600)))

    authenticate(ServerConversation(identities, now=lambda: utc_now() + timedelta(minutes=9)))
    failed = refusal(ServerConversation(identities, now=lambda: utc_now() + timedelta(minutes=11)))

    assert failed.reason is Refusal.EXPIRED_CREDENTIALS


def test_revoked_credentials_are_refused(identities: Identities, use: Use) -> None:
    credentials = identities.user_key("bob")
    use(environment(credentials))
    authenticate(ServerConversation(identities))

    identities.revoke(credentials)
    failed = refusal(ServerConversation(identities))

    assert (failed.reason, failed.message) == (Refusal.UNKNOWN_ACCESS_KEY, BY_STS)


@pytest.mark.parametrize("minutes", [-14, 14])
def test_clocks_may_be_off_a_little(identities: Identities, use: Use, minutes: int) -> None:
    use(environment(identities.assume_role("app")))

    authenticate(ServerConversation(identities, now=lambda: utc_now() + timedelta(minutes=minutes)))


@pytest.mark.parametrize("minutes", [-16, 16])
def test_clocks_may_not_be_off_more_than_15_minutes(identities: Identities, use: Use, minutes: int) -> None:
    use(environment(identities.assume_role("app")))

    failed = refusal(ServerConversation(identities, now=lambda: utc_now() + timedelta(minutes=minutes)))

    assert (failed.reason, failed.message) == (Refusal.CLOCK_SKEW, BY_STS)


def test_the_servers_nonce_begins_with_the_clients_and_is_new_every_time(identities: Identities) -> None:
    client_nonce = bytes(range(32))
    first = [
        bson.decode(ServerConversation(identities).start(bson.encode({"r": client_nonce, "p": 110})))
        for _ in range(100)
    ]

    assert {len(message["s"]) for message in first} == {64}
    assert {message["s"][:32] for message in first} == {client_nonce}
    assert len({message["s"][32:] for message in first}) == 100


def test_the_driver_refuses_the_nonce_of_another_conversation(identities: Identities, use: Use) -> None:
    use(environment(identities.assume_role("app")))
    client, other = driver(), driver()
    client.step(None)
    of_other = ServerConversation(identities).start(other.step(None))

    with pytest.raises(PyMongoAuthAwsError, match="invalid nonce"):
        client.step(of_other)


def test_the_specifications_example_is_answered_byte_for_byte(
    identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers_part = bson.decode(SPEC_SERVER_FIRST)["s"][32:]
    monkeypatch.setattr(secrets, "token_bytes", lambda _: servers_part)
    conversation = ServerConversation(
        identities, sts_host="sts.amazonaws.com", now=lambda: datetime(2019, 11, 12, 21, 1, 22, tzinfo=UTC)
    )

    assert conversation.start(SPEC_CLIENT_FIRST) == SPEC_SERVER_FIRST
    # The secret key of the example is not published: all is right but that nobody here knows it.
    with pytest.raises(AuthenticationFailed) as failed:
        conversation.finish(SPEC_CLIENT_SECOND)
    assert failed.value.reason is Refusal.UNKNOWN_ACCESS_KEY


def test_the_second_message_comes_after_the_first(identities: Identities) -> None:
    with pytest.raises(AuthenticationFailed) as failed:
        ServerConversation(identities).finish(SPEC_CLIENT_SECOND)

    assert failed.value.reason is Refusal.OUT_OF_ORDER
    assert failed.value.message == "bad auth : unexpected message"


@pytest.mark.parametrize("payload", [SPEC_CLIENT_FIRST, b"not BSON"])
def test_there_is_one_first_message(identities: Identities, payload: bytes) -> None:
    conversation = ServerConversation(identities)
    with suppress(AuthenticationFailed):
        conversation.start(payload)

    with pytest.raises(AuthenticationFailed) as again:
        conversation.start(SPEC_CLIENT_FIRST)
    assert again.value.reason is Refusal.OUT_OF_ORDER


def test_a_signature_counts_once(identities: Identities, use: Use) -> None:
    use(environment(identities.assume_role("app")))
    client, conversation = driver(), ServerConversation(identities)
    client_first = client.step(None)
    client_second = client.step(conversation.start(client_first))
    conversation.finish(client_second)

    with pytest.raises(AuthenticationFailed) as again:
        conversation.finish(client_second)
    assert again.value.reason is Refusal.OUT_OF_ORDER

    replay = ServerConversation(identities)
    replay.start(client_first)
    with pytest.raises(AuthenticationFailed) as replayed:
        replay.finish(client_second)
    assert replayed.value.reason is Refusal.WRONG_SIGNATURE


NONCE = bytes(32)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"r": NONCE},
        {"p": 110},
        {"r": b"", "p": 110},
        {"r": NONCE[1:], "p": 110},
        {"r": NONCE + b"x", "p": 110},
        {"r": NONCE.decode(), "p": 110},
        {"r": Binary(NONCE, 128), "p": 110},
        {"r": NONCE, "p": ord("y")},
        {"r": NONCE, "p": ord("p")},
        {"r": NONCE, "p": "n"},
        {"r": NONCE, "p": 110.0},
        {"r": NONCE, "p": Int64(110)},
        {"r": NONCE, "p": True},
        {"r": NONCE, "p": None},
        {"r": NONCE, "p": 110, "x": 1},
    ],
)
def test_a_malformed_first_message_is_refused(identities: Identities, document: dict[str, Any]) -> None:
    with pytest.raises(AuthenticationFailed) as failed:
        ServerConversation(identities).start(bson.encode(document))

    assert (failed.value.reason, failed.value.message) == (Refusal.MALFORMED_PAYLOAD, MALFORMED)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"a": "x"},
        {"d": "x"},
        {"a": "x", "d": 1},
        {"a": b"x", "d": "x"},
        {"a": None, "d": "x"},
        {"a": "x", "d": datetime(2019, 11, 7, tzinfo=UTC)},
        {"a": "x", "d": "x", "t": None},
        {"a": "x", "d": "x", "t": b"x"},
        {"a": ["x"], "d": {"x": "x"}},
        {"a": "x", "d": "x", "x": "x"},
        {"a": "x", "d": "x", "t": "x" * MAX_PAYLOAD_BYTES},
    ],
)
def test_a_malformed_second_message_is_refused(identities: Identities, document: dict[str, Any]) -> None:
    conversation = ServerConversation(identities)
    conversation.start(SPEC_CLIENT_FIRST)

    with pytest.raises(AuthenticationFailed) as failed:
        conversation.finish(bson.encode(document))

    assert (failed.value.reason, failed.value.message) == (Refusal.MALFORMED_PAYLOAD, MALFORMED)


@pytest.mark.parametrize("authorization", ["", "Basic bm8=", "AWS4-HMAC-SHA256 " + "," * 10_000])
def test_a_malformed_header_does_not_get_as_far_as_sts(identities: Identities, authorization: str) -> None:
    conversation = ServerConversation(identities)
    conversation.start(SPEC_CLIENT_FIRST)

    with pytest.raises(AuthenticationFailed) as failed:
        conversation.finish(bson.encode({"a": authorization, "d": "20191107T002607Z"}))

    assert (failed.value.reason, failed.value.message) == (Refusal.MALFORMED_AUTHORIZATION, MALFORMED)


def nested(depth: int) -> bytes:
    document = b"\x05\0\0\0\0"
    for _ in range(depth):
        document = (len(document) + 8).to_bytes(4, "little") + b"\x03a\0" + document + b"\0"
    return document


@pytest.mark.parametrize(
    "payload",
    [None, 1, "text", [], {}, b"", b"\0", b"\xff" * 64, b"\x05\0\0\0\0\0", nested(2000), SPEC_CLIENT_FIRST * 1000],
    ids=lambda payload: type(payload).__name__,
)
def test_what_is_no_message_at_all_is_refused(identities: Identities, payload: object) -> None:
    started = ServerConversation(identities)
    started.start(SPEC_CLIENT_FIRST)

    for step in (ServerConversation(identities).start, started.finish):
        with pytest.raises(AuthenticationFailed) as failed:
            step(payload)
        assert failed.value.reason is Refusal.MALFORMED_PAYLOAD


def mutated(rng: random.Random, payload: bytes) -> bytes:
    """
    Return the payload with a few bytes changed, taken out or put in.
    """
    result = bytearray(payload)
    while bytes(result) == payload:
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(result))
            match rng.randrange(4):
                case 0:
                    del result[place : place + rng.randint(1, 8)]
                case 1:
                    result[place:place] = rng.randbytes(rng.randint(1, 8))
                case _:
                    result[place] = rng.randrange(256)
            if not result:
                return b""
    return bytes(result)


def hostile(rng: random.Random, valid: bytes) -> Iterable[bytes]:
    for _ in range(2000):
        yield rng.randbytes(rng.randrange(300))
    for _ in range(6000):
        yield mutated(rng, valid)


def test_no_first_message_does_more_than_to_fail(identities: Identities) -> None:
    answers: list[bytes] = []
    reasons: list[Refusal] = []
    for payload in hostile(seeded(1), SPEC_CLIENT_FIRST):
        try:
            answers.append(ServerConversation(identities).start(payload))
        except AuthenticationFailed as failed:
            reasons.append(failed.reason)

    assert len(reasons) > 4000
    assert set(reasons) == {Refusal.MALFORMED_PAYLOAD}
    # Another nonce is as good as the one that was changed.
    assert len(answers) > 100
    assert {len(bson.decode(answer)["s"]) for answer in answers} == {64}


def test_no_second_message_but_the_right_one_does_more_than_to_fail(
    identities: Identities, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(environment(identities.assume_role("app")))
    # Every conversation is the same one, so that what is not changed is right.
    monkeypatch.setattr(secrets, "token_bytes", bytes)
    client = driver()
    first = client.step(None)
    second = bytes(client.step(ServerConversation(identities).start(first)))
    reasons = set()
    for payload in hostile(seeded(2), second):
        conversation = ServerConversation(identities)
        conversation.start(first)
        with pytest.raises(AuthenticationFailed) as failed:
            conversation.finish(payload)
        reasons.add(failed.value.reason)

    conversation = ServerConversation(identities)
    conversation.start(first)
    conversation.finish(second)
    assert reasons >= {
        Refusal.MALFORMED_PAYLOAD,
        Refusal.MALFORMED_AUTHORIZATION,
        Refusal.WRONG_SIGNED_HEADERS,
        Refusal.UNKNOWN_ACCESS_KEY,
        Refusal.WRONG_TOKEN,
        Refusal.WRONG_SIGNATURE,
    }


@pytest.mark.parametrize("minutes", [0, 16])
@pytest.mark.parametrize("kind", ["role", "user"])
def test_no_failure_shows_a_secret(identities: Identities, use: Use, kind: str, minutes: int) -> None:
    credentials = identities.assume_role("app") if kind == "role" else identities.user_key("bob")
    use(environment(credentials))
    client = driver()
    conversation = ServerConversation(identities, now=lambda: utc_now() + timedelta(minutes=minutes))
    message = bson.decode(client.step(conversation.start(client.step(None))))
    signature = message["a"][-64:][::-1]

    with pytest.raises(AuthenticationFailed) as failed:
        conversation.finish(bson.encode({**message, "a": message["a"][:-64] + signature}))

    error = failed.value
    text = f"{error} {error!r} {error.__dict__} {error.answer}"
    assert credentials.secret_access_key not in text
    assert signature not in text
    assert credentials.session_token is None or credentials.session_token not in text


@pytest.mark.parametrize("reason", Refusal)
def test_only_what_sts_would_be_asked_is_refused_in_its_name(reason: Refusal) -> None:
    expected = {
        Refusal.MALFORMED_PAYLOAD: MALFORMED,
        Refusal.MALFORMED_AUTHORIZATION: MALFORMED,
        Refusal.WRONG_SIGNED_HEADERS: MALFORMED,
        Refusal.OUT_OF_ORDER: "bad auth : unexpected message",
        Refusal.NO_DATABASE_USER: "bad auth : Authentication failed.",
    }
    assert AuthenticationFailed(reason).message == expected.get(reason, BY_STS)


def test_the_front_tells_a_stranger_what_atlas_tells() -> None:
    failed = AuthenticationFailed(Refusal.NO_DATABASE_USER)

    assert failed.answer == {
        "ok": 0.0,
        "errmsg": "bad auth : Authentication failed.",
        "code": 8000,
        "codeName": "AtlasError",
    }
    assert str(failed) == "bad auth : Authentication failed. (the caller is not a database user)"
