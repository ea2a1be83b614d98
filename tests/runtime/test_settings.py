from __future__ import annotations

from typing import Any

import pymongo.errors
import pytest

import warmline
from warmline.runtime.settings import settings

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("uri", "options", "kind", "says"),
    [
        (None, {}, warmline.MissingURIError, "MONGODB_URI"),
        ("", {}, warmline.InvalidURIError, "does not begin with mongodb://"),
        ("localhost:27017", {}, warmline.InvalidURIError, "does not begin with mongodb://"),
        (f"app:{SECRET}@localhost", {}, warmline.InvalidURIError, "does not begin with mongodb://"),
        (f"mongo://app:{SECRET}@localhost", {}, warmline.InvalidURIError, "does not begin with mongodb://"),
        ("mongodb://", {}, warmline.InvalidURIError, "at least one hostname"),
        ("mongodb://h:99999/", {}, warmline.InvalidOptionError, "Port must be an integer"),
        ("mongodb+srv://a.b.c:27/", {}, warmline.InvalidURIError, "must not include a port"),
        (f"mongodb://app:{SECRET}@x@h/", {}, warmline.InvalidURIError, "quote_plus"),
        (f"mongodb://app:a/{SECRET}@h:1/", {}, warmline.InvalidURIError, "quote_plus"),
        (f"mongodb://app:a?{SECRET}=1@h:1/", {}, warmline.InvalidURIError, "quote_plus"),
        (f"mongodb://app:{SECRET} {SECRET}@h@/?maxPoolSize", {}, warmline.InvalidURIError, "quote_plus"),
        ("mongodb://h/?maxPoolSize", {}, warmline.InvalidURIError, "key=value"),
        ("mongodb://h/?maxIdelTimeMS=3", {}, warmline.UnknownOptionError, "maxidel"),
        ("mongodb://h/?maxIdleTimeMS=soon", {}, warmline.InvalidOptionError, "maxidletimems"),
        ("mongodb://h/", {"maxIdelTimeMS": 3}, warmline.UnknownOptionError, "maxIdelTimeMS"),
        ("mongodb://h/", {"maxIdleTimeMS": 0}, warmline.InvalidOptionError, "must be greater than 0"),
        ("mongodb://h/", {"minPoolSize": 9}, warmline.InvalidOptionError, "minPoolSize"),
        ("mongodb://h/?srvMaxHosts=3", {}, warmline.SrvMaxHostsError, "SRV connection string"),
        ("mongodb://h/", {"srvMaxHosts": 3}, warmline.SrvMaxHostsError, "SRV connection string"),
        ("mongodb+srv://a.b.c/?srvMaxHosts=3&replicaSet=rs", {}, warmline.SrvMaxHostsError, "replicaSet=rs"),
        ("mongodb+srv://a.b.c/?replicaSet=rs", {"srvMaxHosts": 3}, warmline.SrvMaxHostsError, "replicaSet=rs"),
        ("mongodb+srv://a.b.c/?loadBalanced=true&srvMaxHosts=1", {}, warmline.SrvMaxHostsError, "loadBalanced"),
        (f"mongodb://app:{SECRET}@h/?srvMaxHosts=3", {}, warmline.SrvMaxHostsError, "<credentials>@h"),
        (27017, {}, warmline.InvalidURIError, "as a string, not int"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line_without_the_secret(
    uri: Any, options: dict[str, Any], kind: type[warmline.WarmlineError], says: str
) -> None:
    with pytest.raises(warmline.ConfigurationError) as caught:
        warmline.connect(uri, **options)
    message = str(caught.value)
    assert type(caught.value) is kind
    assert says in message
    assert "\n" not in message
    assert SECRET not in message
    # The chained error of the driver would be printed with the traceback.
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_handler_of_the_drivers_errors_catches_ours_too() -> None:
    with pytest.raises(pymongo.errors.InvalidURI):
        warmline.connect("mongodb://")
    with pytest.raises(pymongo.errors.ConfigurationError):
        warmline.connect("mongodb://h/", unknown=1)


def test_the_error_says_which_variable_holds_the_bad_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URI", "mongodb://h/?maxPoolSize=many")
    with pytest.raises(warmline.InvalidOptionError, match="the environment variable MONGODB_URI"):
        warmline.connect()


def test_a_newline_around_the_uri_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URI", " mongodb://h/?appName=x\n")
    assert settings(None, {}).uri == "mongodb://h/?appName=x"


@pytest.mark.parametrize(
    ("uri", "options", "name", "value"),
    [
        ("mongodb://h/", {}, "maxIdleTimeMS", 60_000),
        ("mongodb://h/", {"maxIdleTimeMS": 5}, "maxIdleTimeMS", 5),
        ("mongodb://h/", {"maxidletimems": 5}, "maxidletimems", 5),
        ("mongodb://h/?maxIdleTimeMS=5", {}, "maxIdleTimeMS", None),
        ("mongodb://h/?MAXIDLETIMEMS=5", {}, "maxIdleTimeMS", None),
        ("mongodb://h/?appName=a@b&maxIdleTimeMS=5", {}, "maxIdleTimeMS", None),
        ("mongodb://h/", {}, "minPoolSize", None),
        ("mongodb://h/", {"minPoolSize": 1}, "minPoolSize", 1),
        ("mongodb://h/", {}, "connect", False),
        ("mongodb://h/", {"connect": True}, "connect", True),
    ],
)
def test_what_the_caller_or_the_uri_sets_wins(uri: str, options: dict[str, Any], name: str, value: Any) -> None:
    assert settings(uri, options).options.get(name) == value


@pytest.mark.usefixtures("on_lambda")
def test_connections_carry_the_functions_name_and_version() -> None:
    assert settings("mongodb://h/", {}).options["appName"] == "orders:7"


def test_outside_lambda_connections_carry_no_function_name() -> None:
    assert "appName" not in settings("mongodb://h/", {}).options
