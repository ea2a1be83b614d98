"""
The process's one client for a URI and options, synchronous or asynchronous.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import PyMongoError

from . import loop, private, shutdown
from .environment import METRICS_VARIABLE, bound_lookups, during_init, metrics, on_lambda, on_snapstart
from .registry import CLIENTS, Client
from .settings import Settings, refusal, settings
from .start import Start, start
from .warmup import connect_now, connect_now_async

_log = logging.getLogger("warmline")


def connect(uri: str | None = None, **options: Any) -> MongoClient[dict[str, Any]]:
    """
    Give this process's one client for these arguments: a plain :class:`pymongo.MongoClient`.

    Call it at module level. On Lambda the connection is then open when Init ends, or, if that fails within
    four seconds, the log says why and the first operation tries again and raises PyMongo's own error with the next
    step in it. Elsewhere nothing is opened before the first operation. ``connect=False`` leaves it so on Lambda too.

    :param uri: a ``mongodb://`` or ``mongodb+srv://`` connection string, or a reference to a secret that holds one:
        its ARN, ``secretsmanager:NAME`` or ``ssm:NAME``; by default the environment variable ``MONGODB_URI``.
    :param options: any option of ``MongoClient``. What the caller or the URI sets wins over warmline's defaults
        (``warmline.runtime.defaults.DEFAULTS``).
    :raises warmline.ConfigurationError: the URI or an option can't be used; the subclass says which.

    Source: https://www.mongodb.com/docs/atlas/manage-connections-aws-lambda/ (create the client once, outside the
    handler, and reuse it).
    """
    client, given = _the_one(MongoClient, uri, options)
    if given.connect_at_init and during_init():
        connect_now(client)
    return client


def connect_async(uri: str | None = None, **options: Any) -> AsyncMongoClient[dict[str, Any]]:
    """
    Give this process's one asynchronous client for these arguments: a plain :class:`pymongo.AsyncMongoClient`.

    As :func:`connect`, and called at module level too: it is no coroutine. An asynchronous client belongs to one event
    loop. On Lambda that is the execution environment's (:func:`warmline.event_loop`), in which ``@handler`` runs an
    ``async def`` and which frameworks such as Mangum get from asyncio.

    :raises warmline.ConfigurationError: the URI or an option can't be used; the subclass says which.

    Source: https://pymongo.readthedocs.io/en/stable/api/pymongo/asynchronous/mongo_client.html

    .. versionadded:: 0.1
    """
    client, given = _the_one(AsyncMongoClient, uri, options)
    if not loop.is_running():
        # It becomes the current one, which frameworks ask for.
        loop.event_loop()
    if given.connect_at_init and during_init():
        connect_now_async(client)
    return client


def _the_one(kind: type[Client], uri: str | None, options: Mapping[str, Any]) -> tuple[Client, Settings]:
    bound_lookups()
    shutdown.arm()
    if on_snapstart():
        from . import snapstart

        snapstart.register()
    given = settings(uri, options)
    arguments = {"uri": given.identity, **{name.lower(): value for name, value in options.items()}}
    with CLIENTS.lock:
        client = CLIENTS.get(kind, arguments)
        if client is not None and private.is_closed(client):
            _log.warning(
                "warmline: the function closed its client, so a new one is opened; leave it open: "
                "the environment's next invocation reuses it"
            )
            client = None
        if client is None:
            # The TXT record of mongodb+srv:// can't name a mechanism.
            if given.named.get("authmechanism") == "MONGODB-AWS":
                from .aws import mechanism

                mechanism.install(asynchronous=kind is AsyncMongoClient)
            client = _make(kind, given)
            CLIENTS.put(kind, arguments, client)
    # The caller connects it without the lock: another thread that wants this client need not wait for the network.
    return client, given


def _make(kind: type[Client], given: Settings) -> Client:
    # A snapshot is restored for weeks: nothing in it may go by servers of the day that it was taken.
    at_once = given.connect_at_init and during_init() and not loop.is_running()
    begun = start(given, use_pin=at_once and not on_snapstart())
    client = _client(kind, given, begun)
    if not begun.is_pinned:
        return client
    from . import probe

    if probe.is_there(client):
        return client
    _log.warning(
        "warmline: none of the pinned servers answers, so the SRV record is asked for; renew the pin: warmline pin"
    )
    probe.close(client)
    return _client(kind, given, start(given, use_pin=False))


def _client(kind: type[Client], given: Settings, begun: Start) -> Client:
    refused = None
    try:
        client = kind(begun.uri, **_watched(begun.options))
    except (PyMongoError, ValueError, TypeError, OSError) as error:
        refused = refusal(error, given.uri, given.where)
    if refused is not None:
        # Out here PyMongo's error, which may quote a piece of a password, is not kept with ours.
        raise refused
    if begun.more_roots is not None:
        begun.more_roots.watch(client)
    private.bound_selection(client)
    if given.secret is not None:
        from .secret import renewal

        renewal.install(given.secret, asynchronous=kind is AsyncMongoClient)
    return client


def _watched(options: Mapping[str, Any]) -> dict[str, Any]:
    """
    Add our listeners to the caller's: on Lambda alone are there invocations to watch, and metrics only if wanted.
    """
    listeners = options.get("event_listeners", ())
    if not isinstance(listeners, list | tuple):
        return dict(options)
    ours: list[Any] = []
    if on_lambda():
        from .watch import Watch

        ours.append(Watch())
    if os.environ.get(METRICS_VARIABLE, "off") != "off":
        from .metrics import switch  # noqa: F401
    if (wanted := metrics()) is not None:
        ours.extend(wanted.listeners())
    return {**options, "event_listeners": [*listeners, *ours]}
