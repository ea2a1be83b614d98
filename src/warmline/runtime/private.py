"""
The names of PyMongo that we need and that are not public: all of them, and nothing else.

Each has a fallback for a PyMongo that has lost it, and a contract test (``tests/runtime/test_private.py``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

# Selecting a server, and checking a connection out for a write and for a read: what every operation goes through.
_CONNECTING = ("_select_server", "_checkout", "_conn_from_server")

# Logs a connection in: takes PyMongo's credentials and its connection, is a coroutine function in the async half.
Authenticate = Callable[..., Any]

_authentication = threading.Lock()


def is_closed(client: MongoClient[dict[str, Any]]) -> bool:
    """
    Tell whether ``client.close()`` was called; without the private name, say no.
    """
    return bool(getattr(client, "_closed", False))


def explain_until_connected(client: MongoClient[dict[str, Any]]) -> None:
    """
    Put the next step into the errors of selecting a server or checking a connection out, until one succeeds.

    The client stays a plain ``MongoClient``: these are attributes of this one instance, gone after the first success.
    Without the private names errors stay as PyMongo made them.
    """
    try:
        methods: list[Callable[..., Any]] = [getattr(client, name) for name in _CONNECTING]
    except AttributeError:
        return
    select, *check_outs = methods

    def explaining_select(*args: Any, **keywords: Any) -> Any:
        with _explaining():
            return select(*args, **keywords)

    def explaining(check_out: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def explaining_check_out(*args: Any, **keywords: Any) -> Iterator[Any]:
            with ExitStack() as stack:
                with _explaining():
                    connection = stack.enter_context(check_out(*args, **keywords))
                # Connected: from here on this client is as PyMongo made it.
                for name in _CONNECTING:
                    vars(client).pop(name, None)
                yield connection

        return explaining_check_out

    vars(client).update(zip(_CONNECTING, (explaining_select, *map(explaining, check_outs)), strict=True))


@contextmanager
def _explaining() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        from .advice import next_step

        if error.args and "Next step: " not in str(error.args[0]):
            error.args = (f"{error.args[0]}. Next step: {next_step(error)}", *error.args[1:])
        raise


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
