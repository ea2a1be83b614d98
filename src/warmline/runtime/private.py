"""
The names of PyMongo that we need and that are not public: all of them, and nothing else.

Each has a fallback for a PyMongo that has lost it, and a contract test (``tests/runtime/test_private.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError


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
    select: Callable[..., Any] | None = getattr(client, "_select_server", None)
    check_out: Callable[..., Any] | None = getattr(client, "_checkout", None)
    if select is None or check_out is None:
        return

    def explaining_select(*args: Any, **keywords: Any) -> Any:
        with _explaining():
            return select(*args, **keywords)

    @contextmanager
    def explaining_check_out(*args: Any, **keywords: Any) -> Iterator[Any]:
        checkout = check_out(*args, **keywords)
        with _explaining():
            connection = checkout.__enter__()
        # Connected: from here on this client is as PyMongo made it.
        for name in ("_select_server", "_checkout"):
            vars(client).pop(name, None)
        try:
            yield connection
        except BaseException as error:
            if not checkout.__exit__(type(error), error, error.__traceback__):
                raise
        else:
            checkout.__exit__(None, None, None)

    vars(client).update(_select_server=explaining_select, _checkout=explaining_check_out)


@contextmanager
def _explaining() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        from .advice import next_step

        if error.args and "Next step: " not in str(error.args[0]):
            error.args = (f"{error.args[0]}. Next step: {next_step(error)}", *error.args[1:])
        raise
