"""
The process's one client for a URI and options.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Hashable, Mapping
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from . import private
from .environment import during_init
from .settings import refusal, settings
from .warmup import connect_now

_log = logging.getLogger("warmline")

_Client = MongoClient[dict[str, Any]]


class _Clients:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.by_arguments: dict[Hashable, _Client] = {}
        # A forked child must not use its parent's clients, nor end their connections by collecting them.
        self.of_parents: list[dict[Hashable, _Client]] = []

    def forget_after_fork(self) -> None:
        self.of_parents.append(self.by_arguments)
        self.by_arguments = {}
        self.lock = threading.Lock()


_clients = _Clients()
os.register_at_fork(after_in_child=_clients.forget_after_fork)


def connect(uri: str | None = None, **options: Any) -> MongoClient[dict[str, Any]]:
    """
    Give this process's one client for these arguments: a plain :class:`pymongo.MongoClient`.

    Call it at module level. On Lambda the connection is then open when Init ends, or, if that fails within
    four seconds, the log says why and the first operation tries again and raises PyMongo's own error with the next
    step in it. Elsewhere nothing is opened before the first operation. ``connect=False`` leaves it so on Lambda too.

    :param uri: a ``mongodb://`` or ``mongodb+srv://`` connection string; by default the environment variable
        ``MONGODB_URI``.
    :param options: any option of ``MongoClient``. What the caller or the URI sets wins over warmline's defaults
        (``warmline.runtime.defaults.DEFAULTS``).
    :raises warmline.ConfigurationError: the URI or an option can't be used; the subclass says which.

    Source: https://www.mongodb.com/docs/atlas/manage-connections-aws-lambda/ (create the client once, outside the
    handler, and reuse it).
    """
    given = settings(uri, options)
    key = _hashable({"uri": given.uri, **{name.lower(): value for name, value in options.items()}})
    with _clients.lock:
        client = _clients.by_arguments.get(key)
        if client is not None and not private.is_closed(client):
            return client
        if client is not None:
            _log.warning(
                "warmline: the function closed its client, so a new one is opened; leave it open: "
                "the environment's next invocation reuses it"
            )
        try:
            client = MongoClient(given.uri, **given.options)
        except (PyMongoError, ValueError, TypeError) as error:
            raise refusal(error, given.uri, given.where) from None
        _clients.by_arguments[key] = client
    # Outside the lock: another thread that wants this client need not wait for the network.
    if given.connect_at_init and during_init():
        connect_now(client)
    return client


def _hashable(value: Any) -> Hashable:
    if isinstance(value, Mapping):
        return tuple(sorted((str(name), _hashable(item)) for name, item in value.items()))
    if isinstance(value, list | tuple | set):
        return tuple(_hashable(item) for item in value)
    try:
        hash(value)
    except TypeError:
        return id(value)
    return value  # type: ignore[no-any-return]
