from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from pymongo.errors import OperationFailure

from warmline.runtime.aws import container, endpoint
from warmline.runtime.aws.container import ContainerCredentials, is_named

from .endpoint import GOOD, Endpoint, serving

FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"

NOW = 1_800_000_000


def answer(key: str, seconds: float) -> tuple[int, bytes]:
    """
    Credentials that end so many seconds from now.
    """
    expiration = datetime.fromtimestamp(NOW + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return 200, json.dumps({**GOOD, "AccessKeyId": key, "Expiration": expiration}).encode()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """
    The wall clock, as a test sets it.
    """
    now = [float(NOW)]
    monkeypatch.setattr(container, "time", SimpleNamespace(time=lambda: now[0]))
    monkeypatch.setattr(endpoint, "PAUSE_SECONDS", 0)
    return now


def key(monkeypatch: pytest.MonkeyPatch, credentials: ContainerCredentials, served: Endpoint) -> str:
    """
    The key that a login would use: what is held, else what the endpoint has.
    """
    monkeypatch.setenv(FULL, served.url)
    return (credentials.held() or credentials.fetch()).access_key_id


def test_credentials_are_held_until_five_minutes_before_they_end(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    credentials = ContainerCredentials()
    with serving(answer("one", 3600), answer("two", 7200)) as served:
        assert key(monkeypatch, credentials, served) == "one"
        clock[0] = NOW + 3299
        assert key(monkeypatch, credentials, served) == "one"
        clock[0] = NOW + 3300
        assert key(monkeypatch, credentials, served) == "two"
        assert len(served.requests) == 2


def test_what_ends_sooner_than_that_is_used_and_fetched_again(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    credentials = ContainerCredentials()
    with serving(answer("one", 200), answer("two", 200)) as served:
        assert [key(monkeypatch, credentials, served) for _ in range(2)] == ["one", "two"]


def test_while_the_endpoint_fails_what_is_held_serves_to_its_end(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    credentials = ContainerCredentials()
    with serving(answer("one", 3600), (500, b"")) as served:
        key(monkeypatch, credentials, served)
        clock[0] = NOW + 3599
        assert key(monkeypatch, credentials, served) == "one"
        clock[0] = NOW + 3600
        with pytest.raises(OperationFailure, match="HTTP status 500"):
            key(monkeypatch, credentials, served)


def test_what_was_refused_is_thrown_away_and_what_took_its_place_is_not(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    credentials = ContainerCredentials()
    with serving(answer("one", 3600), answer("two", 3600)) as served:
        monkeypatch.setenv(FULL, served.url)
        one = credentials.fetch()
        credentials.forget(one)
        assert credentials.held() is None
        two = credentials.fetch()
        # A second thread was refused with the first ones too.
        credentials.forget(one)
        assert credentials.held() is two


def test_nothing_shows_what_is_held(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    credentials = ContainerCredentials()
    with serving(answer("one", 3600)) as served:
        key(monkeypatch, credentials, served)
    shown = f"{credentials!r} {vars(credentials)!r}"
    assert GOOD["SecretAccessKey"] not in shown
    assert GOOD["Token"] not in shown


@pytest.mark.parametrize("variable", [FULL, RELATIVE])
def test_an_endpoint_is_named_by_either_variable(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    assert not is_named()
    monkeypatch.setenv(variable, "")
    assert not is_named()
    monkeypatch.setenv(variable, "/x")
    assert is_named()


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"])
def test_what_the_sdk_prefers_to_an_endpoint_is_left_to_it(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(FULL, "http://127.0.0.1/x")
    monkeypatch.setenv(variable, "x")
    assert not is_named()


@pytest.mark.parametrize(
    ("variable", "usual"), [("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")]
)
def test_so_are_the_sdks_files_where_there_are_any(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, usual: str
) -> None:
    monkeypatch.setenv(FULL, "http://127.0.0.1/x")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    file = tmp_path / ".aws" / usual
    file.touch()
    assert is_named()
    monkeypatch.delenv(variable)
    assert not is_named()
    monkeypatch.setenv(variable, "")
    assert is_named()
    monkeypatch.setenv(variable, str(file))
    assert not is_named()
