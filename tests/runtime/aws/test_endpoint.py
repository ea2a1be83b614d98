from __future__ import annotations

import json
import socket
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

import pymongo
import pytest
import trustme
from botocore.utils import ContainerMetadataFetcher
from pymongo.errors import ConfigurationError, ExecutionTimeout, OperationFailure

from warmline.runtime.aws import endpoint as module
from warmline.runtime.aws.credentials import Credentials
from warmline.runtime.aws.endpoint import fetch

from .endpoint import GOOD, serving

FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"

ANSWER = json.dumps(GOOD).encode()

# What no message may hold: the secret, the session token, the endpoint's token, the path.
CANARIES = ("s3cr3t", "t0k3n", "sh0wn")


def shows_nothing(error: BaseException) -> bool:
    text = f"{error} {error!r} {vars(error)}"
    chain = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return not any(canary in text for canary in CANARIES) and (chain is None or shows_nothing(chain))


def test_it_shows_the_token_and_takes_the_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving((200, ANSWER)) as endpoint:
        monkeypatch.setenv(FULL, endpoint.url)
        monkeypatch.setenv(TOKEN, "Basic sh0wn")
        fetched = fetch()
    expires_at = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
    assert fetched == Credentials("ASIAEXAMPLE", "s3cr3t", "t0k3n", expires_at)
    ((path, headers),) = endpoint.requests
    assert path == "/s3cr3t-path?q=1"
    assert headers["Authorization"] == "Basic sh0wn"
    assert headers["Accept"] == "application/json"
    assert headers["Host"] == f"127.0.0.1:{endpoint.port}"


def test_a_token_file_is_read_every_time_and_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "token"
    with serving((200, ANSWER)) as endpoint:
        monkeypatch.setenv(FULL, endpoint.url)
        monkeypatch.setenv(TOKEN, "other")
        monkeypatch.setenv(TOKEN_FILE, str(file))
        for token in ("first", "second"):
            file.write_text(token)
            fetch()
    assert [headers["Authorization"] for _, headers in endpoint.requests] == ["first", "second"]


def test_without_a_token_none_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving((200, ANSWER)) as endpoint:
        monkeypatch.setenv(FULL, endpoint.url)
        fetch()
    assert "Authorization" not in endpoint.requests[0][1]


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"s3cr3t"),
        (403, b"s3cr3t"),
        (302, b""),
        (200, b""),
        (200, b"s3cr3t"),
        (200, b"[]"),
        (200, b"null"),
        (200, b"\xff\xfe"),
        (200, json.dumps({**GOOD, "Expiration": "soon"}).encode()),
        (200, json.dumps({**GOOD, "Expiration": 5}).encode()),
        (200, json.dumps({**GOOD, "Token": None}).encode()),
        (200, json.dumps({**GOOD, "SecretAccessKey": 5}).encode()),
        (200, json.dumps({**GOOD, "AccessKeyId": ""}).encode()),
        (200, json.dumps({name: value for name, value in GOOD.items() if name != "Token"}).encode()),
        (200, json.dumps({**GOOD, "More": "x" * 100_000}).encode()),
    ],
)
def test_it_is_asked_once_more_and_no_error_shows_a_secret(
    monkeypatch: pytest.MonkeyPatch, answer: tuple[int, bytes]
) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    monkeypatch.setenv(TOKEN, "sh0wn")
    with serving(answer, (200, ANSWER)) as endpoint:
        monkeypatch.setenv(FULL, endpoint.url)
        assert fetch().access_key_id == "ASIAEXAMPLE"
        assert len(endpoint.requests) == 2
    with serving(answer) as endpoint:
        monkeypatch.setenv(FULL, endpoint.url)
        with pytest.raises(
            OperationFailure, match=rf"no credentials from 127.0.0.1:{endpoint.port} \({FULL}\)"
        ) as raised:
            fetch()
        assert len(endpoint.requests) == 2
    assert type(raised.value) is OperationFailure
    assert shows_nothing(raised.value)
    assert "\n" not in str(raised.value)


def test_an_endpoint_that_nobody_listens_at_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv(FULL, f"http://127.0.0.1:{port}/s3cr3t")
    with pytest.raises(OperationFailure, match=f"127.0.0.1:{port} .*Connection refused") as raised:
        fetch()
    assert shows_nothing(raised.value)


def test_an_endpoint_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.05)
    with serving((200, ANSWER)) as endpoint:
        endpoint.answering.clear()
        monkeypatch.setenv(FULL, endpoint.url)
        with pytest.raises(OperationFailure, match=r"no answer in 0\.05 s") as raised:
            fetch()
        assert len(endpoint.requests) == 2
    assert type(raised.value) is OperationFailure


def test_it_is_not_waited_for_past_the_operations_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving((200, ANSWER)) as endpoint:
        endpoint.answering.clear()
        monkeypatch.setenv(FULL, endpoint.url)
        started = time.monotonic()
        with pymongo.timeout(0.3), pytest.raises(ExecutionTimeout, match=r"no answer in 0\.[0-3]") as raised:
            fetch()
        assert time.monotonic() - started < 2 * module.TIMEOUT_SECONDS
        assert len(endpoint.requests) == 1
    assert raised.value.timeout


URLS = [
    "http://127.0.0.1:9001/x",
    "http://127.1.2.3/x",
    "http://[::1]:9001/x",
    "http://localhost:9001/x",
    "http://LOCALHOST/x",
    "http://169.254.170.2/x",
    "http://169.254.170.23/v1/credentials",
    "http://[fd00:ec2::23]/v1/credentials",
    "https://credentials.example/x",
    "https://169.254.169.254/x",
    "http://169.254.169.254/x",
    "http://169.254.170.22/x",
    "http://[fd00:ec2::24]/x",
    "http://[::ffff:127.0.0.1]/x",
    "http://0.0.0.0/x",
    "http://10.0.0.1/x",
    "http://2130706433/x",
    "http://127.1/x",
    "http://localhost.example/x",
    "http://127.0.0.1@evil.example/x",
    "http://evil.example#@127.0.0.1/x",
    "http://evil.example\\@127.0.0.1/x",
    "http://169.254.170.2.evil.example/x",
    "http:///x",
    "",
]


@pytest.mark.parametrize("url", URLS)
def test_the_hosts_that_may_be_asked_are_those_of_botocore(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv(FULL, url)
    try:
        ContainerMetadataFetcher()._validate_allowed_url(url)
    except ValueError:
        with pytest.raises(ConfigurationError, match="must not be asked for credentials"):
            module._named()
    else:
        assert module._named().host in url.lower()


@pytest.mark.parametrize("url", ["https:///x", "ftp://127.0.0.1/x", "127.0.0.1/x", "/x"])
def test_what_botocore_fails_at_later_is_refused_at_once(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv(FULL, url)
    with pytest.raises(ConfigurationError, match=f"{FULL} names .* use https, a loopback address"):
        fetch()


@pytest.mark.parametrize("url", ["http://127.0.0.1:s3cr3t/", "http://[s3cr3t/"])
def test_what_is_no_url_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv(FULL, url)
    with pytest.raises(ConfigurationError, match=f"{FULL} does not hold a URL") as raised:
        fetch()
    assert shows_nothing(raised.value)


def test_a_relative_uri_is_one_of_the_ecs_agent_and_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FULL, "http://127.0.0.1/x")
    monkeypatch.setenv(RELATIVE, "/v2/credentials/s3cr3t?a=b")
    assert module._named() == (RELATIVE, "http", "169.254.170.2", 80, "/v2/credentials/s3cr3t?a=b")


@pytest.mark.parametrize("relative", [".evil.example/x", "@evil.example/x", "5/x"])
def test_a_relative_uri_leads_nowhere_else(monkeypatch: pytest.MonkeyPatch, relative: str) -> None:
    monkeypatch.setenv(RELATIVE, relative)
    with pytest.raises(ConfigurationError, match="must not be asked"):
        fetch()


@pytest.mark.parametrize("path", ["/s3cr3t path", "/s3cr3t-ä", "/s3cr3t\x7f"])
def test_a_path_that_no_request_can_hold_is_not_shown(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    with serving((200, ANSWER)) as endpoint:
        monkeypatch.setenv(FULL, f"http://127.0.0.1:{endpoint.port}{path}")
        with pytest.raises(OperationFailure, match=r"InvalidURL|UnicodeEncodeError") as raised:
            fetch()
    assert shows_nothing(raised.value)


@pytest.mark.parametrize("token", ["sh0wn\n", "sh0wn\r\nX: y", "sh0wn\x7f", "sh0wn-€"])
@pytest.mark.parametrize("variable", [TOKEN, TOKEN_FILE])
def test_a_token_that_no_header_can_hold_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, token: str, variable: str
) -> None:
    (tmp_path / "token").write_bytes(token.encode())
    monkeypatch.setenv(variable, token if variable == TOKEN else str(tmp_path / "token"))
    with serving((200, ANSWER)) as endpoint:
        monkeypatch.setenv(FULL, endpoint.url)
        with pytest.raises(ConfigurationError, match=f"the token of {variable} holds a character") as raised:
            fetch()
        assert endpoint.requests == []
    assert shows_nothing(raised.value)


def test_a_token_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(FULL, "http://127.0.0.1/x")
    monkeypatch.setenv(TOKEN_FILE, str(tmp_path / "token"))
    with pytest.raises(ConfigurationError, match=f"{TOKEN_FILE} names can't be read: FileNotFoundError"):
        fetch()
    (tmp_path / "token").write_bytes(b"sh0wn\xff")
    with pytest.raises(ConfigurationError, match=f"{TOKEN_FILE} names can't be read: UnicodeDecodeError") as raised:
        fetch()
    assert shows_nothing(raised.value)


def test_over_https_the_certificate_is_verified(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with serving((200, ANSWER), tls=context) as endpoint:
        monkeypatch.setenv(FULL, f"https://localhost:{endpoint.port}/x")
        with pytest.raises(OperationFailure, match=r"CERTIFICATE_VERIFY_FAILED|certificate verify failed"):
            fetch()
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert fetch().access_key_id == "ASIAEXAMPLE"
