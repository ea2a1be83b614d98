"""
The first connection, opened while the environment is still in its Init phase.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import pymongo
from pymongo import MongoClient

from . import private

_log = logging.getLogger("warmline")

# Init has 10 s, shared with the function's own imports. One attempt to resolve the name and one to connect,
# at 2 s each (connectTimeoutMS), fit into this.
INIT_CONNECT_SECONDS = 4.0


def connect_now(client: MongoClient[dict[str, Any]]) -> None:
    """
    Open and authenticate one connection to the server that operations will select; never raise.

    A failure leaves one line in the log, and the client's next operations explain their errors.
    """
    started = time.monotonic()
    try:
        # Within timeout() PyMongo takes its time in place of serverSelectionTimeoutMS.
        with pymongo.timeout(min(INIT_CONNECT_SECONDS, client.options.server_selection_timeout)):
            client.admin.command("ping", read_preference=client.read_preference)
    except Exception as error:
        # Whatever it is, the function's own first operation must be the one that fails with it.
        from .advice import explained

        seconds = time.monotonic() - started
        _log.error("warmline: could not connect during Init (%.1f s): %s", seconds, explained(error))
        private.explain_until_connected(client)
