"""
The HTTP endpoint that has a container's credentials. Only loaded when it is asked.

No message quotes a token, an answer, or the URL's path, which on ECS is as good as a password.
Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

from __future__ import annotations

import json
import os
import time
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from pymongo.errors import ConfigurationError, ExecutionTimeout, OperationFailure

from .. import private
from .container import FULL_URI, RELATIVE_URI
from .credentials import Credentials

# It is on this machine: what takes longer is lost, and asked for once more.
TIMEOUT_SECONDS = 2.0
PAUSE_SECONDS = 0.1

_TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105  a name
_TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105  a name

# ECS's agent, EKS's agent, and loopback: the rules of AWS's SDK.
_ECS_HOST = "169.254.170.2"
_HOSTS = (_ECS_HOST, "169.254.170.23", "fd00:ec2::23", "localhost")

_FIELDS = ("AccessKeyId", "SecretAccessKey", "Token")
_MAX_ANSWER_BYTES = 64 * 1024


class _Endpoint(NamedTuple):
    variable: str
    scheme: str
    host: str
    port: int
    path: str


class _NoCredentialsError(Exception):
    """
    Why an attempt has brought none, in words that give nothing away.
    """


def fetch() -> Credentials:
    """
    Ask the endpoint that the environment names, and once more if that fails.

    :raises pymongo.errors.OperationFailure: it has none; an ``ExecutionTimeout`` if the operation's time was up.
    :raises pymongo.errors.ConfigurationError: it must not be asked, or not with this token.
    """
    endpoint = _named()
    token = _token()
    try:
        try:
            return _ask(endpoint, token)
        except _NoCredentialsError:
            left = private.seconds_left()
            if left is not None and left <= PAUSE_SECONDS:
                raise
        time.sleep(PAUSE_SECONDS)
        return _ask(endpoint, token)
    except _NoCredentialsError as none:
        text = f"MONGODB-AWS: no credentials from {endpoint.host}:{endpoint.port} ({endpoint.variable}): {none}"
    left = private.seconds_left()
    if left is not None and left <= 0:
        raise ExecutionTimeout(f"{text}; warmline: the operation's time is up")
    raise OperationFailure(text)


def _named() -> _Endpoint:
    relative = os.environ.get(RELATIVE_URI)
    variable = RELATIVE_URI if relative else FULL_URI
    try:
        parts = urlsplit(f"http://{_ECS_HOST}{relative}" if relative else os.environ[FULL_URI])
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise ConfigurationError(f"MONGODB-AWS: {variable} does not hold a URL") from None
    host = parts.hostname or ""
    if not _may_be_asked(parts.scheme, host):
        raise ConfigurationError(
            f"MONGODB-AWS: {variable} names {parts.scheme}://{host}, which must not be asked for credentials: "
            f"use https, a loopback address, or one of {', '.join(_HOSTS)}"
        )
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return _Endpoint(variable, parts.scheme, host, port, path)


def _may_be_asked(scheme: str, host: str) -> bool:
    """
    Tell whether token and credentials stay on this machine or go over TLS.
    """
    if scheme == "https":
        return bool(host)
    try:
        return scheme == "http" and (host in _HOSTS or ip_address(host).is_loopback)
    except ValueError:
        return False


def _token() -> str | None:
    path, token = os.environ.get(_TOKEN_FILE), os.environ.get(_TOKEN)
    if path:
        try:
            # Read every time: it is rewritten before its token ends.
            token = Path(path).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"MONGODB-AWS: the file that {_TOKEN_FILE} names can't be read: {type(error).__name__}"
            ) from None
    # http.client's own error would show it.
    if token and not (token.isascii() and token.isprintable()):
        raise ConfigurationError(
            f"MONGODB-AWS: the token of {_TOKEN_FILE if path else _TOKEN} holds a character that no HTTP header may "
            "hold, a line break for instance: write it without"
        )
    return token or None


def _ask(endpoint: _Endpoint, token: str | None) -> Credentials:
    left = private.seconds_left()
    timeout = TIMEOUT_SECONDS if left is None else min(max(left, 0.001), TIMEOUT_SECONDS)
    kind = HTTPSConnection if endpoint.scheme == "https" else HTTPConnection
    connection = kind(endpoint.host, endpoint.port, timeout=timeout)
    headers = {"Accept": "application/json", **({"Authorization": token} if token else {})}
    try:
        connection.request("GET", endpoint.path, headers=headers)
        response = connection.getresponse()
        status, body = response.status, response.read(_MAX_ANSWER_BYTES)
    except TimeoutError:
        raise _NoCredentialsError(f"no answer in {timeout:.3g} s") from None
    except OSError as error:
        raise _NoCredentialsError(error.strerror or type(error).__name__) from None
    except (HTTPException, UnicodeError) as error:
        # Their texts quote the path or the answer.
        raise _NoCredentialsError(type(error).__name__) from None
    finally:
        connection.close()
    if status != 200:
        raise _NoCredentialsError(f"HTTP status {status}")
    return _parsed(body)


def _parsed(body: bytes) -> Credentials:
    try:
        answer = json.loads(body)
        texts = [answer[name] for name in _FIELDS]
        expires_at = datetime.fromisoformat(answer["Expiration"]).timestamp()
    except (ValueError, TypeError, LookupError):
        texts = []
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise _NoCredentialsError("its answer is not credentials")
    access_key_id, secret_access_key, session_token = texts
    return Credentials(access_key_id, secret_access_key, session_token, expires_at)
