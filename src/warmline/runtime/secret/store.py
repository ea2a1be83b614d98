"""
The secrets of this process, each read once and again only when its login is refused.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pymongo.errors import InvalidURI
from pymongo.uri_parser import parse_userinfo

from .. import private
from ..environment import during_init
from ..errors import UnreadableSecretError, UnusableSecretError
from . import extension, sdk
from .failure import NotRead, NotThere
from .reference import Reference

_log = logging.getLogger("warmline")

SCHEMES = ("mongodb://", "mongodb+srv://")

# How long the extension is waited for where it should be ready in a moment, or where there is no other way.
PATIENCE_SECONDS = 1.0

# A login that stays refused must not become a request to AWS with every connection.
RENEWAL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Login:
    """
    User name and password, as they stand in a connection string.
    """

    username: str
    password: str = field(repr=False)


class Secret:
    """
    The connection string behind one reference. Any thread may use it.
    """

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self._lock = threading.Lock()
        self._value: str | None = None
        # Wall clock: in a frozen environment the monotonic one stands still.
        self._renewed_at = 0.0

    def uri(self) -> str:
        """
        Give the connection string; only the first call reads it.

        :raises warmline.UnreadableSecretError: AWS does not give it, or can't be asked.
        :raises warmline.UnusableSecretError: it holds no connection string.
        """
        # Without the lock where it is known: an event loop must not wait for a thread that reads it again.
        if self._value is None:
            with self._lock:
                if self._value is None:
                    self._value = _read(self.reference)
        return _uri_in(self._value, self.reference)

    def login(self) -> Login | None:
        """
        Give the login of the connection string as it was read last, ``None`` if it has none.
        """
        return _login_in(self.uri())

    def renew(self, refused: Login) -> Login | None:
        """
        Read again after a login was refused, and give the new one; ``None`` if there is none.

        At most once in ``RENEWAL_SECONDS``. Who asks meanwhile gets what the last reading has brought.
        """
        with self._lock:
            if self.login() == refused and self._may_renew():
                self._read_again()
            login = self.login()
        return login if login != refused else None

    def _may_renew(self) -> bool:
        now = time.time()
        if abs(now - self._renewed_at) < RENEWAL_SECONDS:
            return False
        self._renewed_at = now
        return True

    def _read_again(self) -> None:
        try:
            value = _read(self.reference, stale=self._value)
            _uri_in(value, self.reference)
        except (UnreadableSecretError, UnusableSecretError) as error:
            _log.warning("warmline: after a refused login its secret was read again, in vain: %s", error)
            return
        if value != self._value:
            self._value = value
            _log.info("warmline: after a refused login its secret was read again, and has changed: %s", self.reference)


class _Secrets:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.by_reference: dict[Reference, Secret] = {}


_secrets = _Secrets()


def _forget_after_fork() -> None:
    # A lock that another thread of the parent held would never be released here.
    global _secrets  # noqa: PLW0603
    _secrets = _Secrets()


os.register_at_fork(after_in_child=_forget_after_fork)


def secret_of(reference: Reference) -> Secret:
    """
    Give the process's one secret for a reference; it is not read yet.
    """
    with _secrets.lock:
        return _secrets.by_reference.setdefault(reference, Secret(reference))


def _read(reference: Reference, *, stale: str | None = None) -> str:
    """
    Read the value through the extension, else the SDK; within ``pymongo.timeout()`` each may take what is left of it.

    :param stale: a value that is known to be no longer good. The extension may still have it in its cache; then the
        SDK is asked too.
    """
    left = private.seconds_left()
    seconds = float("inf") if left is None else max(left, 0.001)
    # In Init the extension is not ready until Init is over, so waiting is for where nothing else is left.
    patience = 0.0 if during_init() and sdk.is_installed() else PATIENCE_SECONDS
    ways: tuple[Callable[[], str], ...] = (
        lambda: extension.read(
            reference, fresh=stale is not None, patience_seconds=min(patience, seconds), seconds=seconds
        ),
        lambda: sdk.read(reference, seconds=seconds),
    )
    failures: list[NotRead] = []
    for way in ways:
        try:
            value = way()
        except NotRead as failure:
            failures.append(failure)
            continue
        if value != stale:
            return value
    if stale is not None and len(failures) < len(ways):
        return stale
    raise _unreadable(reference, *failures)


def _unreadable(reference: Reference, by_extension: NotRead, by_sdk: NotRead) -> UnreadableSecretError:
    if not isinstance(by_sdk, NotThere):
        # AWS's own words. The extension keeps them to itself.
        said, step = by_sdk.said, by_sdk.step
    elif not isinstance(by_extension, NotThere):
        said, step = f"{by_extension.said}, and {by_sdk.said}", by_extension.step
    else:
        said = f"{by_extension.said}, and {by_sdk.said}"
        step = "add the extension's layer to the function, or boto3 to its package"
    return UnreadableSecretError(f"can't read the secret {reference}: {said}; {step}")


def _uri_in(value: str, reference: Reference) -> str:
    text = value.strip()
    if text.startswith("{"):
        text = _member(text, reference)
    elif reference.key:
        raise UnusableSecretError(
            f"the secret {reference} is no JSON object, so there is no {reference.key!r} in it; leave the key out"
        )
    if not text.startswith(SCHEMES):
        raise UnusableSecretError(
            f"the value of the secret {reference} is no connection string: it does not begin with mongodb:// or "
            "mongodb+srv://; store the one that Atlas shows under Connect > Drivers"
        )
    return text


def _member(text: str, reference: Reference) -> str:
    try:
        members = json.loads(text)
    except ValueError:
        # The error would quote the text.
        members = None
    if not isinstance(members, dict):
        raise UnusableSecretError(f"the secret {reference} begins like a JSON object and is none; correct it")
    if reference.key:
        value = members.get(reference.key)
        if not isinstance(value, str):
            raise UnusableSecretError(
                f"the secret {reference} has no string under {reference.key!r}; name the key of its connection string"
            )
        return value.strip()
    uris = [value.strip() for value in members.values() if isinstance(value, str) and value.strip().startswith(SCHEMES)]
    if len(uris) != 1:
        raise UnusableSecretError(
            f"the secret {reference} is a JSON object in which {len(uris) or 'no'} values are connection strings; "
            "name the one by #KEY behind the reference"
        )
    return uris[0]


def _login_in(uri: str) -> Login | None:
    authority = uri.partition("://")[2].partition("/")[0].partition("?")[0]
    userinfo, at, _ = authority.rpartition("@")
    if not at:
        return None
    try:
        return Login(*parse_userinfo(userinfo))
    except InvalidURI:
        return None
