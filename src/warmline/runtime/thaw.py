"""
After a freeze: which connections are still good, and new ones for those that are not.

A frozen environment sends nothing, so on the way to the cluster its connections may have been forgotten, and nobody
tells it. An operation on such a connection would wait for the monitor's timeout. Only the wall clock shows that time
has passed: the monotonic one, by which PyMongo knows a connection's idle time, may have stood still.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html, and on the clock
https://github.com/hashicorp/vault-lambda-extension/issues/150.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from typing import Any

import pymongo
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import PyMongoError

from . import loop, private, warmup
from .environment import metrics, on_lambda, on_managed_instances
from .registry import CLIENTS, Client

_log = logging.getLogger("warmline")

# No network forgets a flow sooner than this.
GAP_SECONDS = 3.0

# How long a connection from before the freeze may take to answer. A good one needs a round trip, well below 10 ms
# within a region; one that needs longer is merely replaced.
ANSWER_SECONDS = 0.03


class _Freeze:
    """
    What is known of the last freeze.
    """

    def __init__(self) -> None:
        # Wall clock: when this environment was last seen running.
        self.awake_at = time.time()
        # The invocation that has been looked after already.
        self.invocation: str | None = None
        self.checking = False


_freeze = _Freeze()


def note_awake() -> None:
    """
    Note that the environment runs now: at the end of an invocation or of an operation.
    """
    _freeze.awake_at = time.time()


def at_invocation() -> None:
    """
    At the start of an invocation: after a freeze replace what does not answer.
    """
    _freeze.invocation = os.environ.get("_X_AMZN_TRACE_ID")
    _look_after_all()


def at_checkout() -> None:
    """
    The same before a connection is checked out, for a handler without our decorator: once in each invocation.

    An asynchronous client can't be looked after from within its loop, so there the decorator is needed.
    """
    invocation = os.environ.get("_X_AMZN_TRACE_ID")
    # Without one it is Init, in which nothing is frozen however long ago this was imported.
    if invocation is None or invocation == _freeze.invocation or _freeze.checking or loop.is_running():
        return
    _freeze.invocation = invocation
    _look_after_all()


def _look_after_all() -> None:
    seconds = time.time() - _freeze.awake_at
    if seconds < GAP_SECONDS or not on_lambda() or on_managed_instances():
        return
    _freeze.checking = True
    try:
        for client in filter(connected, CLIENTS.all(MongoClient)):
            _look_after(client, seconds)
        asynchronous = [client for client in CLIENTS.all(AsyncMongoClient) if connected(client)]
        if asynchronous:
            loop.run(_look_after_async(asynchronous, seconds))
    finally:
        _freeze.checking = False
        note_awake()


def connected(client: Client) -> bool:
    """
    Tell whether the client has begun to connect and was not closed.
    """
    return private.is_open(client) and not private.is_closed(client)


def _look_after(client: MongoClient[dict[str, Any]], frozen_seconds: float) -> None:
    try:
        if _outlived(client, frozen_seconds) or not private.idle_connections_hold(client, ANSWER_SECONDS):
            private.renew(client)
            _renewed(client, frozen_seconds)
    except AttributeError:
        # A PyMongo that has lost a private name. The public way: a connection that fails is out of the pool.
        with suppress(PyMongoError), pymongo.timeout(10 * ANSWER_SECONDS):
            client.admin.command("ping")


async def _look_after_async(clients: list[AsyncMongoClient[dict[str, Any]]], frozen_seconds: float) -> None:
    for client in clients:
        try:
            if _outlived(client, frozen_seconds) or not await private.idle_connections_hold_async(
                client, ANSWER_SECONDS
            ):
                await private.renew_async(client)
                _renewed(client, frozen_seconds)
        except AttributeError:
            with suppress(PyMongoError), pymongo.timeout(10 * ANSWER_SECONDS):
                await client.admin.command("ping")


def _outlived(client: Client, frozen_seconds: float) -> bool:
    """
    Whether the freeze was longer than the client keeps an idle connection.
    """
    most = client.options.pool_options.max_idle_time_seconds
    return most is not None and frozen_seconds > most


def _renewed(client: Client, frozen_seconds: float) -> None:
    warmup.before_next_handler(client)
    if (wanted := metrics()) is not None:
        wanted.thawed()
    _log.info("warmline: connections renewed after %.0f s in which the environment was frozen", frozen_seconds)
