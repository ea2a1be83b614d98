from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any

import botocore.config
import pymongo
import pytest

import warmline
from warmline import UnreadableSecretError, UnusableSecretError, connect, connect_async
from warmline.runtime.secret import extension, sdk, store
from warmline.runtime.secret.reference import Reference, parse
from warmline.runtime.secret.store import Login, Secret, secret_of
from warmline.runtime.settings import settings

from .conftest import AWS
from .stub import ExtensionStub

URI = "mongodb://app:s3cr3t@host/"


def secret(text: str) -> Secret:
    return secret_of(parse(text, "connect()"))


@pytest.fixture
def sdk_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """
    What the SDK is asked for from now on.
    """
    asked: list[str] = []
    original = sdk.read

    def read(reference: Reference, *, seconds: float) -> str:
        asked.append(reference.text)
        return original(reference, seconds=seconds)

    monkeypatch.setattr(sdk, "read", read)
    return asked


def test_in_an_invocation_the_extension_is_asked_and_the_sdk_is_not(
    stub: ExtensionStub, aws: AWS, sdk_reads: list[str]
) -> None:
    aws.secret("first-way", URI)
    assert secret("secretsmanager:first-way").uri() == URI
    assert len(stub.requests) == 1
    assert sdk_reads == []


def test_in_init_where_the_extension_is_not_ready_the_sdk_is_asked_without_waiting(
    stub: ExtensionStub, aws: AWS, sdk_reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("_X_AMZN_TRACE_ID")
    aws.secret("second-way", URI)
    stub.ready = False
    assert secret("secretsmanager:second-way").uri() == URI
    assert len(stub.requests) == 1
    assert len(sdk_reads) == 1


@pytest.mark.usefixtures("no_sdk")
def test_in_init_without_the_sdk_the_extension_is_waited_for(
    stub: ExtensionStub, aws: AWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("_X_AMZN_TRACE_ID")
    monkeypatch.setattr(store, "PATIENCE_SECONDS", 10.0)
    aws.secret("patience", URI)
    stub.ready = False
    later = threading.Timer(0.05, setattr, (stub, "ready", True))
    later.start()
    assert secret("secretsmanager:patience").uri() == URI
    later.join()


def test_outside_of_lambda_the_sdk_is_asked(aws: AWS, sdk_reads: list[str]) -> None:
    aws.parameter("/outside", URI)
    assert secret("ssm:/outside").uri() == URI
    assert sdk_reads == ["ssm:/outside"]


def test_a_secret_is_read_once_in_a_process(stub: ExtensionStub, aws: AWS) -> None:
    aws.secret("once", URI)
    together = threading.Barrier(8)

    def ask(_: int) -> str:
        together.wait()
        return secret("secretsmanager:once").uri()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(8))) == {URI}
    assert len(stub.requests) == 1


def test_what_could_not_be_read_is_asked_for_again(stub: ExtensionStub, aws: AWS) -> None:
    with pytest.raises(UnreadableSecretError):
        secret("secretsmanager:later").uri()
    aws.secret("later", URI)
    assert secret("secretsmanager:later").uri() == URI


def test_the_reason_is_awss_own_where_the_sdk_can_be_asked(stub: ExtensionStub) -> None:
    with pytest.raises(UnreadableSecretError) as caught:
        secret("secretsmanager:nowhere").uri()
    assert str(caught.value) == (
        "can't read the secret secretsmanager:nowhere (Secrets Manager): AWS says: ResourceNotFoundException: Secrets "
        "Manager can't find the specified secret.; check its name, region and account, and that it has a value"
    )


@pytest.mark.usefixtures("no_sdk")
def test_without_the_sdk_the_reason_is_what_the_extension_says(stub: ExtensionStub) -> None:
    with pytest.raises(UnreadableSecretError) as caught:
        secret("ssm:/nowhere").uri()
    assert str(caught.value) == (
        "can't read the secret ssm:/nowhere (Parameter Store): the AWS Parameters and Secrets Lambda Extension says: "
        "400 an unexpected error occurred while executing request, and boto3 is not installed; check that the "
        "function's role may ssm:GetParameter it; its own lines in this log say more"
    )


@pytest.mark.usefixtures("no_sdk")
def test_where_neither_way_exists_one_line_names_both(aws: AWS) -> None:
    with pytest.raises(UnreadableSecretError) as caught:
        secret("ssm:/any").uri()
    assert str(caught.value) == (
        "can't read the secret ssm:/any (Parameter Store): the AWS Parameters and Secrets Lambda Extension is not "
        "there, and boto3 is not installed; add the extension's layer to the function, or boto3 to its package"
    )


@pytest.mark.usefixtures("stub")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("secretsmanager:{}", URI),
        ("secretsmanager:{}", f" {URI}\n"),
        ("secretsmanager:{}", "mongodb+srv://app:s3cr3t@host/"),
        ("secretsmanager:{}", json.dumps({"uri": URI})),
        ("secretsmanager:{}", json.dumps({"username": "app", "uri": f"{URI}\n", "port": 27017, "more": None})),
        ("secretsmanager:{}#old", json.dumps({"new": "mongodb://new/", "old": URI})),
    ],
)
def test_a_value_is_a_connection_string_or_a_json_object_with_one(aws: AWS, text: str, value: str) -> None:
    name = f"value-{abs(hash((text, value)))}"
    aws.secret(name, value)
    assert secret(text.format(name)).uri() == (URI if "srv" not in value else value)


@pytest.mark.usefixtures("stub")
@pytest.mark.parametrize(
    ("text", "value", "match"),
    [
        ("ssm:{}", "s3cr3t", "is no connection string: it does not begin with mongodb://"),
        ("ssm:{}", "postgres://app:s3cr3t@host/", "is no connection string"),
        ("ssm:{}", json.dumps({"password": "s3cr3t"}), "no values are connection strings; name the one by #KEY"),
        ("ssm:{}", json.dumps({"a": URI, "b": URI}), "2 values are connection strings; name the one by #KEY"),
        ("ssm:{}#uri", json.dumps({"password": "s3cr3t", "url": URI}), "has no string under 'uri'"),
        ("ssm:{}#uri", json.dumps({"password": "s3cr3t", "uri": {"a": URI}}), "has no string under 'uri'"),
        ("ssm:{}#password", json.dumps({"password": "s3cr3t"}), "is no connection string"),
        ("ssm:{}#uri", URI, "is no JSON object, so there is no 'uri' in it"),
        ("ssm:{}", '{"uri": "mongodb://app:s3cr3t@host/"', "begins like a JSON object and is none"),
    ],
)
def test_any_other_value_is_refused_in_one_line_that_does_not_show_it(
    aws: AWS, text: str, value: str, match: str
) -> None:
    name = f"/value/{abs(hash((text, value)))}"
    aws.parameter(name, value)
    with pytest.raises(UnusableSecretError, match=match) as caught:
        connect(text.format(name))
    assert "s3cr3t" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)
    context: BaseException | None = caught.value
    while context is not None:
        assert "s3cr3t" not in repr(context)
        context = context.__context__


def test_a_refused_login_reads_again_and_a_changed_one_is_given(
    aws: AWS, caplog: pytest.LogCaptureFixture, sdk_reads: list[str]
) -> None:
    aws.parameter("/renewed", URI)
    one = secret("ssm:/renewed")
    old = one.login()
    assert old == Login("app", "s3cr3t")
    aws.parameter("/renewed", "mongodb://app:n%40w@host/")
    with caplog.at_level(logging.INFO, "warmline"):
        assert one.renew(old) == Login("app", "n@w")
    assert one.uri() == "mongodb://app:n%40w@host/"
    assert caplog.messages == [
        "warmline: after a refused login its secret was read again, and has changed: ssm:/renewed (Parameter Store)"
    ]
    # Who was refused with the old one meanwhile need not read again.
    assert one.renew(old) == Login("app", "n@w")
    assert len(sdk_reads) == 2


def test_an_unchanged_login_is_read_again_only_after_a_while(
    aws: AWS, sdk_reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.parameter("/unchanged", URI)
    one = secret("ssm:/unchanged")
    login = one.login()
    assert login is not None
    assert [one.renew(login) for _ in range(5)] == [None] * 5
    assert len(sdk_reads) == 2
    monkeypatch.setattr(store, "RENEWAL_SECONDS", 0.0)
    assert one.renew(login) is None
    assert len(sdk_reads) == 3


def test_threads_that_are_refused_at_once_read_once(aws: AWS, sdk_reads: list[str]) -> None:
    aws.parameter("/at-once", URI)
    one = secret("ssm:/at-once")
    login = one.login()
    assert login is not None
    aws.parameter("/at-once", "mongodb://app:new@host/")
    together = threading.Barrier(8)

    def renew(_: int) -> Login | None:
        together.wait()
        return one.renew(login)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(renew, range(8))) == {Login("app", "new")}
    assert len(sdk_reads) == 2


@pytest.mark.parametrize("refreshes", [True, False])
def test_a_renewal_goes_past_what_the_extension_has_kept(
    stub: ExtensionStub, aws: AWS, sdk_reads: list[str], refreshes: bool
) -> None:
    name = f"past-the-cache-{refreshes}"
    aws.secret(name, URI)
    one = secret(f"secretsmanager:{name}")
    login = one.login()
    assert login is not None
    stub.refreshes = refreshes
    aws.rotate(name, "mongodb://app:new@host/")
    assert one.renew(login) == Login("app", "new")
    # Only an extension that gives the old value again makes the SDK necessary.
    assert len(sdk_reads) == (0 if refreshes else 1)


@pytest.mark.usefixtures("no_sdk")
def test_an_old_value_of_the_extension_is_unchanged_where_nobody_else_can_be_asked(
    stub: ExtensionStub, aws: AWS, caplog: pytest.LogCaptureFixture
) -> None:
    aws.parameter("/kept-for-long", URI)
    one = secret("ssm:/kept-for-long")
    login = one.login()
    assert login is not None
    aws.parameter("/kept-for-long", "mongodb://app:new@host/")
    assert one.renew(login) is None
    assert caplog.messages == []


@pytest.mark.parametrize("value", ["s3cr3t", None])
def test_a_renewal_that_fails_leaves_one_warning_and_the_old_value(
    aws: AWS, caplog: pytest.LogCaptureFixture, value: str | None
) -> None:
    name = f"/broken/{value is None}"
    aws.parameter(name, URI)
    one = secret(f"ssm:{name}")
    login = one.login()
    assert login is not None
    if value is None:
        aws.parameters.delete_parameter(Name=name)
    else:
        aws.parameter(name, value)
    assert one.renew(login) is None
    (line,) = caplog.messages
    assert line.startswith("warmline: after a refused login its secret was read again, in vain: ")
    assert "s3cr3t" not in line
    assert one.uri() == URI


@pytest.mark.parametrize(
    ("uri", "login"),
    [
        ("mongodb://host/?a=b@c", None),
        ("mongodb://host", None),
        ("mongodb+srv://app:p%40ss@host/?authSource=admin", Login("app", "p@ss")),
        ("mongodb://app@host/", Login("app", "")),
        ("mongodb://a:b:c@host/", None),
    ],
)
def test_a_login_is_what_pymongo_would_read(uri: str, login: Login | None) -> None:
    assert store._login_in(uri) == login


@pytest.mark.usefixtures("stub")
def test_one_reference_is_one_client_also_after_its_value_has_changed(aws: AWS) -> None:
    aws.parameter("/one-client", URI)
    client = connect("ssm:/one-client")
    aws.parameter("/one-client", "mongodb://app:new@host/")
    secret("ssm:/one-client").renew(Login("app", "s3cr3t"))
    assert connect("ssm:/one-client") is client
    assert connect("ssm:/one-client", maxPoolSize=3) is not client


@pytest.mark.usefixtures("stub")
def test_the_environment_variable_may_be_a_reference(aws: AWS, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URI", aws.secret("from-variable", URI))
    client = connect()
    assert client._topology_settings.seeds == {("host", 27017)}


@pytest.mark.usefixtures("stub")
def test_a_secrets_connection_string_is_checked_like_any_other_and_named_by_its_reference(aws: AWS) -> None:
    aws.parameter("/malformed", "mongodb://app:s3cr3t/@host/?maxIdleTimeMs=x")
    with pytest.raises(warmline.ConfigurationError, match=r"the secret ssm:/malformed \(Parameter Store\)") as caught:
        connect("ssm:/malformed")
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.usefixtures("stub")
def test_no_object_of_ours_shows_the_connection_string(aws: AWS) -> None:
    aws.parameter("/hidden", URI)
    given = settings("ssm:/hidden", {"password": "s3cr3t", "username": "app"})
    login = secret("ssm:/hidden").login()
    plain = settings(URI, {})
    for one in (given, plain, given.secret, login):
        assert "s3cr3t" not in f"{one!r} {one}"


def test_a_connection_string_loads_nothing_of_this() -> None:
    program = (
        "import sys, warmline; warmline.connect('mongodb://host/'); "
        "print([name for name in sys.modules if 'runtime.secret' in name or 'botocore' in name])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.usefixtures("stub")
def test_an_asynchronous_client_takes_a_reference_too(aws: AWS) -> None:
    aws.parameter("/async", URI)
    assert connect_async("ssm:/async") is connect_async("ssm:/async")


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_reads_for_itself() -> None:
    with store._secrets.lock:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.write(write, secret("ssm:/any").reference.text.encode())
            finally:
                os._exit(0)
    os.waitpid(pid, 0)
    os.close(write)
    assert os.read(read, 100).decode() == "ssm:/any"
    os.close(read)


def test_within_an_operation_both_ways_take_no_longer_than_is_left_of_it(
    stub: ExtensionStub, aws: AWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds: list[float] = []

    class Connection(HTTPConnection):
        def __init__(self, host: str, port: int, *, timeout: float) -> None:
            bounds.append(timeout)
            super().__init__(host, port, timeout=timeout)

    original = botocore.config.Config

    def config(connect_timeout: float, read_timeout: float, retries: dict[str, Any]) -> Any:
        bounds.append((connect_timeout + read_timeout) * retries["total_max_attempts"])
        return original(connect_timeout=connect_timeout, read_timeout=read_timeout, retries=retries)

    monkeypatch.setattr(extension, "HTTPConnection", Connection)
    monkeypatch.setattr(botocore.config, "Config", config)
    # Both lead to somebody who never answers.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        monkeypatch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(port))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        with pymongo.timeout(0.2), pytest.raises(UnreadableSecretError, match="ReadTimeoutError"):
            secret("secretsmanager:silent").uri()
    assert len(bounds) == 2
    assert max(bounds) <= 0.2
