"""
Whether any of a new client's servers answers: pinned ones may all be gone.
"""

from __future__ import annotations

import pymongo
from pymongo import AsyncMongoClient
from pymongo.errors import ServerSelectionTimeoutError

from . import loop, private
from .registry import Client

# By then a port has refused, a name has turned out to be unknown, and a cluster on another continent has answered.
_TRY_SECONDS = 1.0
_TRIES = 2


def is_there(client: Client) -> bool:
    """
    Connect, and tell whether a server answers, be it with an error; after two seconds, or one if all are known to fail.
    """
    for _ in range(_TRIES):
        try:
            with pymongo.timeout(_TRY_SECONDS):
                if isinstance(client, AsyncMongoClient):
                    loop.run(private.open_connection_async(client))
                else:
                    private.open_connection(client)
        except ServerSelectionTimeoutError:
            servers = client.topology_description.server_descriptions().values()
        except Exception:
            # Whatever it is, a server has had a part in it: a login refused, a connection dropped.
            return True
        else:
            return True
        if any(server.is_server_type_known for server in servers):
            return True
        if all(server.error for server in servers):
            return False
    return False


def close(client: Client) -> None:
    """
    Close a client that nobody has used yet.
    """
    if isinstance(client, AsyncMongoClient):
        loop.run(client.close())
    else:
        client.close()
