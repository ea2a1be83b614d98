"""
MONGODB-AWS in the place of PyMongo's own, which imports boto3 whatever the credentials are.

Signed here: credentials of the URI or the options, of the environment, and of a container. All others (profiles, web
identity, EC2's metadata, configuration files) are left to PyMongo and pymongo-auth-aws. The order is theirs, so the
identity is the one that PyMongo alone would log in with.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pymongo.errors import ConfigurationError, OperationFailure

from .. import private_login
from .conversation import NONCE_BYTES, check_done, opening, proof
from .credentials import Credentials, from_environment

if TYPE_CHECKING:
    from .container import ContainerCredentials

# Sends a command of the conversation and returns the answer; in the async half it must be awaited.
_Command = Callable[[dict[str, Any]], Any]

MECHANISM = "MONGODB-AWS"

_NOTHING_FOUND = (
    "MONGODB-AWS found no credentials in the URI, in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or by "
    "AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI; for a profile, a web identity or EC2's metadata: "
    "pip install 'warmline[aws]'"
)


def install(*, asynchronous: bool = False) -> None:
    """
    Sign MONGODB-AWS logins here from now on, in all clients of the process; where that can't be, PyMongo goes on.
    """
    wrap = _signing_asynchronously if asynchronous else _signing
    private_login.around_authentication(MECHANISM, wrap, asynchronous=asynchronous)


def _signing(original: private_login.Authenticate) -> private_login.Authenticate:
    def authenticate(credentials: Any, connection: Any) -> None:
        login = _ours(credentials, connection)
        if login is None:
            with _naming_the_extra():
                original(credentials, connection)
            return
        source, command = login
        if isinstance(source, Credentials):
            _converse(command, source)
            return
        held = source.held()
        if held is not None:
            try:
                _converse(command, held)
            except OperationFailure:
                source.forget(held)
            else:
                return
        fetched = source.fetch()
        try:
            _converse(command, fetched)
        except OperationFailure:
            source.forget(fetched)
            raise

    return authenticate


def _signing_asynchronously(original: private_login.Authenticate) -> private_login.Authenticate:
    async def authenticate(credentials: Any, connection: Any) -> None:
        login = _ours(credentials, connection)
        if login is None:
            with _naming_the_extra():
                await original(credentials, connection)
            return
        source, command = login
        if isinstance(source, Credentials):
            await _converse_asynchronously(command, source)
            return
        held = source.held()
        if held is not None:
            try:
                await _converse_asynchronously(command, held)
            except OperationFailure:
                source.forget(held)
            else:
                return
        # In a thread: asking the endpoint must not hold the loop up.
        fetched = await asyncio.to_thread(source.fetch)
        try:
            await _converse_asynchronously(command, fetched)
        except OperationFailure:
            source.forget(fetched)
            raise

    return authenticate


def _ours(credentials: Any, connection: Any) -> tuple[Credentials | ContainerCredentials, _Command] | None:
    """
    Tell where a login's credentials come from and how to send a command of it; ``None`` leaves it to PyMongo.
    """
    login = private_login.aws_login(credentials, connection)
    if login is None:
        return None
    username, password, token, command = login
    if username is not None:
        return Credentials(username, password or "", token), command
    given = from_environment()
    if given is not None:
        return given, command
    from . import container

    return (container.CONTAINER, command) if container.is_named() else None


def _converse(command: _Command, credentials: Credentials) -> None:
    nonce = os.urandom(NONCE_BYTES)
    check_done(command(proof(credentials, nonce, command(opening(nonce)))))


async def _converse_asynchronously(command: _Command, credentials: Credentials) -> None:
    nonce = os.urandom(NONCE_BYTES)
    check_done(await command(proof(credentials, nonce, await command(opening(nonce)))))


@contextmanager
def _naming_the_extra() -> Iterator[None]:
    try:
        yield
    except ConfigurationError as error:
        if isinstance(error.__cause__, ImportError):
            raise ConfigurationError(_NOTHING_FOUND) from None
        raise
