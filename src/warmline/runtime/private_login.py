"""
The names of PyMongo that we need for logging in and that are not public; all others are in
:mod:`warmline.runtime.private`.

Each has a fallback for a PyMongo that has lost it, and a contract test (``tests/runtime/test_private_login.py``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

# Logs a connection in: takes PyMongo's credentials and its connection, is a coroutine function in the async half.
Authenticate = Callable[..., Any]

_authentication = threading.Lock()


class _Around:
    """
    An authentication function with another one around it, as it stands in PyMongo's table.
    """

    def __init__(self, original: Authenticate, wrap: Callable[[Authenticate], Authenticate]) -> None:
        self.original = original
        self.wrap = wrap
        self.function = wrap(original)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self.function(*args, **keywords)


def around_authentication(
    mechanism: str, wrap: Callable[[Authenticate], Authenticate], *, asynchronous: bool = False
) -> bool:
    """
    Put ``wrap(original)`` in the place of the function that PyMongo logs its connections in with, and say if it stands.

    PyMongo calls it for every new connection, also for one whose speculative authentication has succeeded (the
    original knows that by ``connection.auth_ctx``), and again where the server asks for it (reauthentication).
    It holds for all clients of the process. Several wraps go around each other, the last one outermost; the same wrap
    is put in once, however often it is asked for. Without the private name PyMongo's own function stays.

    :param mechanism: as in ``authMechanism``; ``DEFAULT`` where a URI names none.
    :param wrap: takes the original and returns what is called in its place, with the same arguments.
    :param asynchronous: the half of PyMongo that is meant; the other half is neither touched nor imported.
    """
    try:
        if asynchronous:
            from pymongo.asynchronous import auth
        else:
            from pymongo.synchronous import auth  # type: ignore[no-redef]
    except ImportError:
        return False
    functions = getattr(auth, "_AUTH_MAP", None)
    if not isinstance(functions, dict):
        return False
    with _authentication:
        layer = functions.get(mechanism)
        if layer is None:
            return False
        original = layer
        while isinstance(layer, _Around):
            if layer.wrap == wrap:
                return True
            layer = layer.original
        functions[mechanism] = _Around(original, wrap)
    return True


def with_login(credentials: Any, connection: Any, username: str, password: str, *, again: bool) -> Any:
    """
    Give PyMongo's credentials with this user name and password, and prepare the connection to log in with them.

    PyMongo begins a login with its own credentials as soon as it has a connection (speculative authentication). By
    SCRAM that has told the server the user's name and no more, so it can be gone on with unless the name is another
    one, or the attempt has failed. Without the private names the credentials stay as they are.

    :param again: a login over this connection has failed.
    """
    if again or username != credentials.username:
        connection.auth_ctx = None
    if username != credentials.username:
        # What mechanisms the other user has.
        connection.negotiated_mechs = None
    return _replaced(credentials, username, password)


@lru_cache(maxsize=16)
def _replaced(credentials: Any, username: str, password: str) -> Any:
    # The keys derived from a password are kept with the credentials: new ones for a new password, and, since deriving
    # them takes milliseconds, the same ones for every connection.
    if (credentials.username, credentials.password) == (username, password):
        return credentials
    try:
        return credentials._replace(username=username, password=password, cache=type(credentials.cache)())
    except (AttributeError, ValueError, TypeError):
        return credentials


def aws_login(
    credentials: Any, connection: Any
) -> tuple[str | None, str | None, str | None, Callable[[dict[str, Any]], Any]] | None:
    """
    Read the arguments of PyMongo's function for MONGODB-AWS; ``None`` when they are not as we know them.

    That is the user's name, password and session token that the URI or the options give, and what sends a command of
    the conversation and returns the answer (in the async half a coroutine).
    """
    try:
        token = credentials.mechanism_properties.aws_session_token
        return credentials.username, credentials.password, token, partial(connection.command, "$external")
    except AttributeError:
        return None
