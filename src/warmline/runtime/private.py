"""
The names of PyMongo that we need and that are not public: all of them, and nothing else.

Each has a fallback for a PyMongo that has lost it, and a contract test (``tests/runtime/test_private.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

# Selecting a server, and checking a connection out for a write and for a read: what every operation goes through.
_CONNECTING = ("_select_server", "_checkout", "_conn_from_server")


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
