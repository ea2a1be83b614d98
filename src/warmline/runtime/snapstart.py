"""
SnapStart: no connection goes into a snapshot, and every environment that is restored from it begins for itself.

A snapshot is copied as often as it is restored. What a copy must not share with the others: connections, which are
dead in all of them; credentials, since each environment has its own; server sessions, in which the server would take
one copy's write for the repetition of another's; and the random state that mongos are drawn with and ObjectIds are
made of.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html (restore and its hooks have
10 s), https://docs.aws.amazon.com/lambda/latest/dg/snapstart-uniqueness.html, and
https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md (a write is known by
its session and number).
"""

from __future__ import annotations

import logging
import os
import random
import sys
import time
from typing import Any

from pymongo import AsyncMongoClient, MongoClient

from . import loop, private, thaw, warmup
from .environment import during_init, metrics
from .registry import CLIENTS

_log = logging.getLogger("warmline")


class _Snapshot:
    """
    What is known of the snapshot that this process goes into or comes from.
    """

    def __init__(self) -> None:
        self.registered = False
        # Those that are to be connected again after the restore.
        self.connected: list[Any] = []


_snapshot = _Snapshot()


def register() -> None:
    """
    Ask the runtime client, once, to be told before the snapshot and after the restore.

    Called when a client is asked for. If that is after the restore, there is no connection to give up, and the
    randomness is renewed at once.
    """
    if _snapshot.registered:
        return
    _snapshot.registered = True
    if not during_init():
        _renew_randomness()
        return
    try:
        import snapshot_restore_py
    except ImportError:
        _log.warning(
            "warmline: this runtime has no SnapStart hooks, so connections go into the snapshot: install "
            "snapshot-restore-py and a runtime client that calls its hooks, as awslambdaric does"
        )
        return
    snapshot_restore_py.register_before_snapshot(before_snapshot)
    snapshot_restore_py.register_after_restore(after_restore)


def before_snapshot() -> None:
    """
    Have all clients as they were before their first operation: whoever holds one, or a collection, goes on using it.
    """
    _snapshot.connected = _start_over()
    container = sys.modules.get("warmline.runtime.aws.container")
    if container is not None:
        container.CONTAINER.forget()


def after_restore() -> None:
    """
    Make fresh randomness and connect again what was connected, for at most as long as in Init.
    """
    began = time.monotonic()
    # Between the snapshot and now lies no freeze that connections would have to be looked after for.
    thaw.note_awake()
    _renew_randomness()
    # A hook of the function's own may have used a client in the meantime.
    _start_over()
    if (wanted := metrics()) is not None:
        # What led to the snapshot would otherwise be every restored environment's.
        wanted.forget()
    for client in _snapshot.connected:
        left = began + warmup.INIT_CONNECT_SECONDS - time.monotonic()
        if left <= 0:
            warmup.before_next_handler(client)
        elif isinstance(client, AsyncMongoClient):
            warmup.connect_now_async(client, left, when="after the restore")
        else:
            warmup.connect_now(client, left, when="after the restore")
    thaw.note_awake()


def _renew_randomness() -> None:
    random.seed()
    private.renew_object_ids()
    if "ssl" in sys.modules:
        # Amazon's OpenSSL notices a restore by itself; one that came with another base image may not.
        sys.modules["ssl"].RAND_add(os.urandom(32), 32.0)


def _start_over() -> list[Any]:
    """
    Give up the connections of all clients that have any, and return these clients.
    """
    synchronous = [client for client in CLIENTS.all(MongoClient) if thaw.connected(client)]
    asynchronous = [client for client in CLIENTS.all(AsyncMongoClient) if thaw.connected(client)]
    try:
        for client in synchronous:
            private.start_over(client)
        for async_client in asynchronous:
            loop.run(private.start_over_async(async_client))
    except AttributeError as error:
        # What a thaw does is then all there is: a connection that does not answer is replaced.
        _log.warning("warmline: this PyMongo can't leave its connections out of a SnapStart snapshot: %s", error)
    return [*synchronous, *asynchronous]
