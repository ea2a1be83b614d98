"""
The clients of this process, each under the arguments it was asked for with.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Hashable, Mapping
from typing import Any, TypeVar

from pymongo import AsyncMongoClient, MongoClient

Client = TypeVar("Client", MongoClient[dict[str, Any]], AsyncMongoClient[dict[str, Any]])


class Registry:
    """
    One process's clients; a forked child starts with none. Who looks a client up and puts one in holds ``lock``.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._clients: dict[Hashable, Any] = {}
        # A forked child must not use its parent's clients, nor end their connections by collecting them.
        self._of_parents: list[dict[Hashable, Any]] = []
        os.register_at_fork(after_in_child=self._forget_after_fork)

    def get(self, kind: type[Client], arguments: Mapping[str, Any]) -> Client | None:
        """
        Look up the client of this kind that was asked for with these arguments.
        """
        client: Client | None = self._clients.get((kind, _hashable(arguments)))
        return client

    def put(self, kind: type[Client], arguments: Mapping[str, Any], client: Client) -> None:
        """
        Keep a client, in place of the one that was kept under these arguments.
        """
        self._clients[kind, _hashable(arguments)] = client

    def all(self, kind: type[Client]) -> list[Client]:
        """
        List the clients of one kind. Takes no lock: who ends the process must not wait for a thread that holds it.
        """
        return [client for client in list(self._clients.values()) if isinstance(client, kind)]

    def clear(self) -> None:
        """
        Forget all clients, as in a new process; their connections stay as they are.
        """
        self._clients.clear()

    def _forget_after_fork(self) -> None:
        self._of_parents.append(self._clients)
        self._clients = {}
        self.lock = threading.Lock()


CLIENTS = Registry()


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
