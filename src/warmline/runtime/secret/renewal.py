"""
After a rotation: a login that is refused is tried once more with what the secret says now.

The client stays the same object. PyMongo goes on with the credentials it was made with, and here, where it logs a
connection in, the new ones take their place.

Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets_strategies.html
"""

from __future__ import annotations

import asyncio
from typing import Any

from pymongo.errors import OperationFailure

from .. import private_login
from .store import Login, Secret

MECHANISMS = ("DEFAULT", "SCRAM-SHA-256", "SCRAM-SHA-1")

# AuthenticationFailed of the server, and AtlasError, by which Atlas's own front says "bad auth".
_REFUSED = (18, 8000)

# Clients keep the credentials they were made with, so their logins lead to the secret also after it has changed.
_secrets: dict[Login, Secret] = {}


def install(secret: Secret, *, asynchronous: bool = False) -> None:
    """
    Renew the logins of clients that are made from this secret as it is now; where that can't be, they stay as made.
    """
    login = secret.login()
    if login is None:
        return
    _secrets[login] = secret
    wrap = _renewing_asynchronously if asynchronous else _renewing
    for mechanism in MECHANISMS:
        private_login.around_authentication(mechanism, wrap, asynchronous=asynchronous)


def _renewing(original: private_login.Authenticate) -> private_login.Authenticate:
    def authenticate(credentials: Any, connection: Any) -> None:
        secret = _secret_of(credentials)
        login = secret.login() if secret is not None else None
        if secret is None or login is None:
            original(credentials, connection)
            return
        try:
            original(_with(login, credentials, connection), connection)
        except OperationFailure as error:
            renewed = secret.renew(login) if error.code in _REFUSED else None
            if renewed is None:
                raise
        else:
            return
        original(_with(renewed, credentials, connection, again=True), connection)

    return authenticate


def _renewing_asynchronously(original: private_login.Authenticate) -> private_login.Authenticate:
    async def authenticate(credentials: Any, connection: Any) -> None:
        secret = _secret_of(credentials)
        login = secret.login() if secret is not None else None
        if secret is None or login is None:
            await original(credentials, connection)
            return
        try:
            await original(_with(login, credentials, connection), connection)
        except OperationFailure as error:
            # In a thread: asking AWS must not hold the loop up.
            renewed = await asyncio.to_thread(secret.renew, login) if error.code in _REFUSED else None
            if renewed is None:
                raise
        else:
            return
        await original(_with(renewed, credentials, connection, again=True), connection)

    return authenticate


def _secret_of(credentials: Any) -> Secret | None:
    username, password = getattr(credentials, "username", None), getattr(credentials, "password", None)
    if username is None or password is None:
        return None
    return _secrets.get(Login(username, password))


def _with(login: Login, credentials: Any, connection: Any, *, again: bool = False) -> Any:
    return private_login.with_login(credentials, connection, login.username, login.password, again=again)
