"""
What this process has counted, and its snapshots.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from .snapshot import InvocationMetrics

if TYPE_CHECKING:
    from .pools import Pool, PoolListener


@dataclass(slots=True)
class Counts:
    """
    Counted since the last snapshot; the names are those of :class:`InvocationMetrics`.
    """

    connections_created: int = 0
    connections_closed: Counter[str] = field(default_factory=Counter)
    connections_in_use_max: int = 0
    checkouts: int = 0
    checkout_ms: float = 0.0
    checkout_ms_max: float = 0.0
    checkouts_failed: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    heartbeats_failed: int = 0
    thaws: int = 0
    connect_ms: float = 0.0
    connect_dns_ms: float = 0.0
    connect_tcp_ms: float = 0.0
    connect_tls_ms: float = 0.0
    connect_authentication_ms: float = 0.0


_NAMES = tuple(field.name for field in fields(Counts))


class Process:
    """
    One process's counts and the listeners of its clients; a forked child begins anew. Who counts holds ``lock``.

    ``in_use`` is the number of connections that are checked out now.
    """

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        # Reentrant: a signal handler that closes a client may interrupt the thread that counts.
        self.lock = threading.RLock()
        self.counts = Counts()
        self.in_use = 0
        # Weak: with a client that nobody uses any more its pools are gone too.
        self._listeners: weakref.WeakSet[PoolListener] = weakref.WeakSet()

    def add(self, listener: PoolListener) -> None:
        """
        Take the pools of one more client into account.
        """
        with self.lock:
            self._listeners.add(listener)

    def pools(self) -> list[tuple[tuple[str, int], Pool]]:
        """
        List the pools of all clients with the addresses of their servers.
        """
        with self.lock:
            return [item for listener in self._listeners for item in listener.pools.items()]

    def snapshot(self) -> InvocationMetrics:
        """
        Give what was counted since the last snapshot, and begin anew.
        """
        with self.lock:
            pools = [pool for _, pool in self.pools()]
            # Counted afresh: a client that is gone may have had connections checked out.
            self.in_use = sum(pool.in_use for pool in pools)
            counts, self.counts = self.counts, Counts(connections_in_use_max=self.in_use)
            return InvocationMetrics(
                connections_open=sum(pool.open for pool in pools),
                connections_in_use=self.in_use,
                **{name: getattr(counts, name) for name in _NAMES},
            )


PROCESS = Process()
