"""
The first connection: opened while the environment is still in its Init phase, or else before an invocation's handler.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import time
from contextlib import suppress
from typing import Any

import pymongo
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import AutoReconnect, PyMongoError

from . import loop, private
from .registry import Client

_log = logging.getLogger("warmline")

# Init has 10 s, shared with the function's own imports.
INIT_CONNECT_SECONDS = 4.0

# Between two attempts: full jitter, so that a thousand environments that were refused at once don't come back at once.
# Source: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 2.0

# Clients that are to be connected before the next invocation's handler runs.
_unconnected: list[Any] = []


def connect_now(
    client: MongoClient[dict[str, Any]], seconds: float = INIT_CONNECT_SECONDS, *, when: str = "during Init"
) -> None:
    """
    Open and authenticate one connection to the server that operations will select; never raise.

    A failure leaves one line in the log, the next invocation tries again first, and the client's next operations
    explain their errors.
    """
    started = time.monotonic()
    try:
        _connect(client, started + seconds)
    except Exception as error:
        # Whatever it is, the function's own first operation must be the one that fails with it.
        _tell_failure(client, error, started, when)
        private.explain_until_connected(client)


def connect_now_async(
    client: AsyncMongoClient[dict[str, Any]], seconds: float = INIT_CONNECT_SECONDS, *, when: str = "during Init"
) -> None:
    """
    As :func:`connect_now`, in the environment's event loop; within a running loop the first operation connects.
    """
    if loop.is_running():
        return
    started = time.monotonic()
    try:
        loop.run(_connect_async(client, started + seconds))
    except Exception as error:
        _tell_failure(client, error, started, when)


def before_next_handler(client: Client) -> None:
    """
    Have the client connected before the next invocation's handler runs.
    """
    if client not in _unconnected:
        _unconnected.append(client)


def at_invocation(seconds: float) -> None:
    """
    Connect what is to be connected, for at most so many seconds; what fails is left to the handler's own operations.
    """
    while _unconnected:
        client = _unconnected.pop()
        until = time.monotonic() + min(seconds, client.options.server_selection_timeout)
        with suppress(PyMongoError):
            if isinstance(client, AsyncMongoClient):
                loop.run(_connect_async(client, until))
            else:
                _connect(client, until)


def _connect(client: MongoClient[dict[str, Any]], until: float) -> None:
    for attempt in itertools.count():
        try:
            with pymongo.timeout(_attempt_seconds(client, until)):
                private.open_connection(client)
        except AutoReconnect:
            # Refused, dropped, or nobody there yet. All other errors would come again.
            pause = _pause(attempt)
            if time.monotonic() + pause >= until:
                raise
        else:
            return
        time.sleep(pause)


async def _connect_async(client: AsyncMongoClient[dict[str, Any]], until: float) -> None:
    for attempt in itertools.count():
        try:
            with pymongo.timeout(_attempt_seconds(client, until)):
                await private.open_connection_async(client)
        except AutoReconnect:
            pause = _pause(attempt)
            if time.monotonic() + pause >= until:
                raise
        else:
            return
        await asyncio.sleep(pause)


def _pause(attempt: int) -> float:
    return random.uniform(0, min(FIRST_PAUSE_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS))  # noqa: S311  no secret


def _attempt_seconds(client: Client, until: float) -> float:
    # Within timeout() PyMongo takes its time in place of serverSelectionTimeoutMS.
    left = max(until - time.monotonic(), 0.001)
    return min(left, client.options.server_selection_timeout)


def _tell_failure(client: Client, error: Exception, started: float, when: str) -> None:
    from .advice import explained

    seconds = time.monotonic() - started
    _log.error("warmline: could not connect %s (%.1f s): %s", when, seconds, explained(error))
    if isinstance(error, AutoReconnect):
        before_next_handler(client)
