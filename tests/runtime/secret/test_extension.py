from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from warmline.runtime.secret import extension
from warmline.runtime.secret.failure import NotRead, NotThere
from warmline.runtime.secret.reference import parse

from .conftest import AWS, TOKEN
from .stub import FAILED, ExtensionStub

URI = "mongodb://app:s3cr3t@host/"


def read(text: str, *, fresh: bool = False, patience_seconds: float = 0.0) -> str:
    reference = parse(text, "connect()")
    return extension.read(reference, fresh=fresh, patience_seconds=patience_seconds, seconds=float("inf"))


def test_it_gives_secrets_and_parameters_by_name_and_by_arn(stub: ExtensionStub, aws: AWS) -> None:
    arn = aws.secret("by-extension", URI)
    assert read("secretsmanager:by-extension") == URI
    assert read(arn) == URI
    arn = aws.parameter("/by/extension", URI)
    assert read("ssm:/by/extension") == URI
    assert read(arn) == URI
    assert [request.get("withDecryption") for request in stub.requests] == [None, None, "true", "true"]


def test_it_gives_the_version_that_is_asked_for(stub: ExtensionStub, aws: AWS) -> None:
    arn = aws.secret("versions-by-extension", URI)
    version = aws.secrets.get_secret_value(SecretId=arn)["VersionId"]
    aws.rotate(arn, "mongodb://new@host/")
    assert read(f"{arn}::AWSPREVIOUS:") == URI
    assert read(f"{arn}:::{version}") == URI
    assert read(arn) == "mongodb://new@host/"


def test_what_it_has_kept_is_old_unless_asked_to_be_fresh(stub: ExtensionStub, aws: AWS) -> None:
    aws.secret("kept", "old")
    assert read("secretsmanager:kept") == "old"
    aws.rotate("kept", "new")
    assert read("secretsmanager:kept") == "old"
    assert read("secretsmanager:kept", fresh=True) == "new"


def test_its_token_is_not_shown_to_whoever_listens_outside_of_lambda(
    stub: ExtensionStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_EXECUTION_ENV")
    with pytest.raises(NotThere):
        read("ssm:/by/extension")
    assert stub.requests == []


def test_without_a_token_it_is_not_asked(stub: ExtensionStub, monkeypatch: pytest.MonkeyPatch) -> None:
    # As under SnapStart, where it does not work.
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    with pytest.raises(NotThere):
        read("ssm:/by/extension")
    assert stub.requests == []


def test_it_is_waited_for_until_it_is_ready(stub: ExtensionStub, aws: AWS) -> None:
    aws.secret("in-a-moment", URI)
    stub.ready = False
    later = threading.Timer(0.05, setattr, (stub, "ready", True))
    later.start()
    assert read("secretsmanager:in-a-moment", patience_seconds=10.0) == URI
    assert len(stub.requests) > 1
    later.join()


def test_waiting_ends_and_the_error_says_when_it_would_answer(stub: ExtensionStub) -> None:
    stub.ready = False
    with pytest.raises(extension.NotReady) as caught:
        read("ssm:/by/extension", patience_seconds=0.1)
    assert "not ready to serve traffic, please wait" in caught.value.said
    assert "during invocations and not in Init" in caught.value.step


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_where_its_layer_is_not_and_nothing_listens_it_is_not_there(
    stub: ExtensionStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(free_port()))
    with pytest.raises(NotThere):
        read("ssm:/by/extension", patience_seconds=60.0)


def test_where_its_layer_is_it_has_not_begun_to_listen_yet(
    stub: ExtensionStub, aws: AWS, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "AWSParametersAndSecretsLambdaExtension"
    file.touch()
    monkeypatch.setattr(extension, "FILE", str(file))
    monkeypatch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(free_port()))
    with pytest.raises(extension.NotReady, match="nothing listens on its port yet"):
        read("ssm:/by/extension", patience_seconds=0.05)


@pytest.mark.usefixtures("stub")
def test_its_refusal_points_to_its_own_lines_since_it_gives_no_reason(aws: AWS) -> None:
    with pytest.raises(NotRead) as caught:
        read("secretsmanager:nowhere")
    assert caught.value.said == f"the AWS Parameters and Secrets Lambda Extension says: 400 {FAILED}"
    assert "secretsmanager:GetSecretValue" in caught.value.step
    assert "its own lines in this log say more" in caught.value.step


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, "bad session token or header key"), "401 bad session token or header key"),
        ((500, f"panic:\n  token {TOKEN}"), "500 panic: token <hidden>"),
        ((200, "no JSON s3cr3t"), "its answer holds no string"),
        ((200, '{"SecretBinary": "czNjcjN0"}'), "its answer holds no string"),
        ((200, "[]"), "its answer holds no string"),
    ],
)
def test_a_strange_answer_is_one_line_without_a_secret(stub: ExtensionStub, answer: tuple[int, str], said: str) -> None:
    stub.answer = answer
    with pytest.raises(NotRead) as caught:
        read("secretsmanager:strange")
    assert caught.value.said.endswith(f"says: {said}")
    assert TOKEN not in repr(caught.value)
    assert "s3cr3t" not in repr(caught.value)


def test_who_listens_and_never_answers_is_left_in_time(stub: ExtensionStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extension, "ANSWER_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(silent.getsockname()[1]))
        with pytest.raises(NotRead, match="no answer"):
            read("secretsmanager:silent")


@pytest.mark.parametrize("port", ["", "none", "99999"])
def test_a_port_that_is_none_is_an_error_like_all_others(
    stub: ExtensionStub, monkeypatch: pytest.MonkeyPatch, port: str
) -> None:
    monkeypatch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", port)
    with pytest.raises(NotRead):
        read("secretsmanager:any")


def test_a_token_that_no_header_may_hold_is_not_quoted(stub: ExtensionStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "s3cr3t\n")
    with pytest.raises(NotRead) as caught:
        read("secretsmanager:any")
    assert "s3cr3t" not in repr(caught.value)
    assert caught.value.__suppress_context__


def test_no_proxy_sees_the_token(stub: ExtensionStub, aws: AWS, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.secret("past-the-proxy", URI)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert read("secretsmanager:past-the-proxy") == URI
