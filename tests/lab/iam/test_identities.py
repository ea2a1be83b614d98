from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from warmline.lab.aws.function import ACCOUNT as FUNCTIONS_ACCOUNT
from warmline.lab.iam import Credentials, IamUser, Identities, Principal, Role, database_user, environment
from warmline.lab.iam.identities import ACCOUNT


def found(identities: Identities, credentials: Credentials) -> Principal:
    principal = identities.lookup(credentials.access_key_id)
    assert principal is not None
    return principal


def test_the_account_is_the_one_of_the_functions() -> None:
    assert ACCOUNT == FUNCTIONS_ACCOUNT


def test_a_session_of_a_role_has_temporary_credentials(identities: Identities) -> None:
    before = datetime.now(UTC)
    credentials = identities.assume_role("app", "orders-api", 900)
    after = datetime.now(UTC)

    assert credentials.access_key_id.startswith("ASIA")
    assert len(credentials.access_key_id) == 20
    assert len(credentials.secret_access_key) == 40
    assert credentials.session_token
    assert credentials.expires_at is not None
    assert before <= credentials.expires_at - timedelta(minutes=15) <= after
    assert found(identities, credentials) == Principal(
        identity=Role("arn:aws:iam::123456789012:role/app"),
        caller_arn="arn:aws:sts::123456789012:assumed-role/app/orders-api",
        credentials=credentials,
    )


def test_a_key_of_a_user_has_neither_token_nor_end(identities: Identities) -> None:
    credentials = identities.user_key("bob")

    assert credentials.access_key_id.startswith("AKIA")
    assert (credentials.session_token, credentials.expires_at) == (None, None)
    arn = "arn:aws:iam::123456789012:user/bob"
    assert found(identities, credentials) == Principal(IamUser(arn), arn, credentials)


def test_no_two_credentials_are_the_same(identities: Identities) -> None:
    sessions = [identities.assume_role("app") for _ in range(50)]

    for part in ("access_key_id", "secret_access_key", "session_token"):
        assert len({getattr(session, part) for session in sessions}) == 50


def test_a_roles_path_is_in_its_arn_and_not_in_what_sts_answers(identities: Identities) -> None:
    principal = found(identities, identities.assume_role("service-role/eu/app"))

    assert principal.identity == Role("arn:aws:iam::123456789012:role/service-role/eu/app")
    assert principal.caller_arn == "arn:aws:sts::123456789012:assumed-role/app/lab"


def test_a_users_path_is_in_what_sts_answers(identities: Identities) -> None:
    principal = found(identities, identities.user_key("engineering/bob"))

    assert principal.caller_arn == "arn:aws:iam::123456789012:user/engineering/bob"


@pytest.mark.parametrize("other", ["service-role/app", "elsewhere/App"])
def test_a_roles_name_is_taken_whatever_its_path(identities: Identities, other: str) -> None:
    identities.assume_role("app")
    identities.assume_role("app", "another-session")

    with pytest.raises(ValueError, match="a role's name is unique whatever its path"):
        identities.assume_role(other)


@pytest.mark.parametrize("name", ["", "/app", "path/", "my role", "r" * 65, "app\n", "ä", "päth/app"])
def test_names_that_iam_refuses_are_refused(identities: Identities, name: str) -> None:
    with pytest.raises(ValueError, match="is not a role's ARN"):
        identities.assume_role(name)
    with pytest.raises(ValueError, match="is not a user's ARN"):
        identities.user_key(name)


@pytest.mark.parametrize("session_name", ["", "x", "a/b", "a b", "s" * 65, "lab\n"])
def test_names_that_no_session_may_have_are_refused(identities: Identities, session_name: str) -> None:
    with pytest.raises(ValueError, match="is not a session's name"):
        identities.assume_role("app", session_name)


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:sts::123456789012:assumed-role/app/orders-api", "arn:aws:iam::123456789012:role/app"),
        ("arn:aws:sts::123456789012:assumed-role/a+=,.@-_Z/i-0912374abc", "arn:aws:iam::123456789012:role/a+=,.@-_Z"),
        ("arn:aws-cn:sts::123456789012:assumed-role/app/lab", "arn:aws-cn:iam::123456789012:role/app"),
        ("arn:aws-us-gov:sts::123456789012:assumed-role/app/lab", "arn:aws-us-gov:iam::123456789012:role/app"),
        ("arn:aws:iam::123456789012:role/app", "arn:aws:iam::123456789012:role/app"),
        ("arn:aws:iam::123456789012:role/service-role/eu/app", "arn:aws:iam::123456789012:role/app"),
        ("arn:aws:iam::123456789012:user/bob", "arn:aws:iam::123456789012:user/bob"),
        ("arn:aws:iam::123456789012:user/a:b/c/bob", "arn:aws:iam::123456789012:user/a:b/c/bob"),
    ],
)
def test_the_database_user_is_the_role_or_the_user(arn: str, expected: str) -> None:
    assert database_user(arn) == expected


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "app",
        "arn:aws:iam::123456789012:root",
        "arn:aws:iam::123456789012:group/admins",
        "arn:aws:sts::123456789012:federated-user/bob",
        "arn:aws:sts::123456789012:assumed-role/app",
        "arn:aws:sts::123456789012:assumed-role/path/app/lab",
        "arn:aws:iam::12345:role/app",
        "arn:aws:iam::123456789012:role/app\n",
    ],
)
def test_what_can_be_no_database_user_is_refused(arn: str) -> None:
    with pytest.raises(ValueError, match="no database user has it"):
        database_user(arn)


def test_a_role_and_its_sessions_are_the_same_database_user(identities: Identities) -> None:
    principal = found(identities, identities.assume_role("service-role/app"))

    assert database_user(principal.caller_arn) == database_user(principal.identity.arn)


def test_expired_credentials_are_known_still(identities: Identities) -> None:
    credentials, other = identities.assume_role("app"), identities.assume_role("app")

    identities.expire(credentials)

    ended = found(identities, credentials).credentials.expires_at
    assert ended is not None
    assert ended <= datetime.now(UTC)
    assert found(identities, other).credentials == other


def test_only_a_sessions_credentials_expire(identities: Identities) -> None:
    revoked = identities.assume_role("app")
    identities.revoke(revoked)

    for credentials in (identities.user_key("bob"), revoked):
        with pytest.raises(ValueError, match="only those expire"):
            identities.expire(credentials)


def test_revoked_credentials_are_unknown(identities: Identities) -> None:
    credentials, other = identities.user_key("bob"), identities.user_key("bob")

    identities.revoke(credentials)
    identities.revoke(credentials)

    assert identities.lookup(credentials.access_key_id) is None
    assert found(identities, other).credentials == other


def test_threads_may_change_it_while_others_read(identities: Identities) -> None:
    kept: list[Credentials] = []
    failures: list[Exception] = []
    start = threading.Barrier(8)

    def work(number: int) -> None:
        try:
            start.wait()
            for turn in range(100):
                credentials = identities.assume_role(f"app-{turn}", f"session-{number}")
                found(identities, credentials)
                identities.expire(credentials)
                if turn % 2:
                    identities.revoke(credentials)
                else:
                    kept.append(credentials)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert len(kept) == 400
    assert all(identities.lookup(credentials.access_key_id) for credentials in kept)


def test_no_repr_shows_a_secret(identities: Identities) -> None:
    credentials = identities.assume_role("app")
    texts = [f"{thing!r} {thing}" for thing in (credentials, found(identities, credentials), identities)]

    assert credentials.session_token is not None
    assert credentials.access_key_id in texts[0]
    for text in texts:
        assert credentials.secret_access_key not in text
        assert credentials.session_token not in text


def test_the_environment_is_the_one_that_lambda_sets(identities: Identities) -> None:
    session, key = identities.assume_role("app"), identities.user_key("bob")

    assert environment(session) == {
        "AWS_ACCESS_KEY_ID": session.access_key_id,
        "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
        "AWS_SESSION_TOKEN": session.session_token,
    }
    assert environment(key) == {
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
    }
