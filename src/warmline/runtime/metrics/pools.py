"""
The listener to one client's pools.

Source: https://pymongo.readthedocs.io/en/stable/api/pymongo/monitoring.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from pymongo.monitoring import ConnectionPoolListener

from .counts import Process
from .phases import Making

_MS = 1000.0

Address = tuple[str, int]

# Gets what was measured (create, wait and use in seconds, timeout as 1) and the server's address.
Observe = Callable[[str, Address, float], None]


@dataclass(slots=True)
class Pool:
    """
    One pool as it is now: connections that are ready, of these checked out, checkouts that wait, and what is allowed.
    """

    open: int = 0
    in_use: int = 0
    waiting: int = 0
    min_size: int = 0
    max_size: int = 0


class PoolListener(ConnectionPoolListener):
    """
    Counts one client's connections and checkouts for its process.

    :param observe: gets each time that is measured as well.
    """

    def __init__(self, process: Process, observe: Observe | None = None) -> None:
        self.pools: defaultdict[Address, Pool] = defaultdict(Pool)
        self._process = process
        self._observe = observe
        self._making: dict[tuple[Address, int], Making] = {}
        self._checked_out: dict[tuple[Address, int], float] = {}
        process.add(self)

    def pool_created(self, event: Any) -> None:
        # The event has the options that differ from the driver's defaults: 100 connections, and none kept open.
        options = event.options
        with self._process.lock:
            pool = self.pools[event.address]
            pool.min_size, pool.max_size = options.get("minPoolSize", 0), options.get("maxPoolSize", 100) or 0

    def pool_closed(self, event: Any) -> None:
        with self._process.lock:
            pool = self.pools[event.address]
            pool.min_size = pool.max_size = 0

    def connection_created(self, event: Any) -> None:
        with self._process.lock:
            self._process.counts.connections_created += 1
            self._making[event.address, event.connection_id] = Making()

    def connection_ready(self, event: Any) -> None:
        with self._process.lock:
            making = self._making.pop((event.address, event.connection_id), None)
            if making is None:
                # It had to authenticate again: no new connection.
                return
            making.stop()
            total, dns, tcp, tls, authentication = making.phases(event.duration or 0.0)
            self.pools[event.address].open += 1
            counts = self._process.counts
            counts.connect_ms += total * _MS
            counts.connect_dns_ms += (dns or 0.0) * _MS
            counts.connect_tcp_ms += (tcp or 0.0) * _MS
            counts.connect_tls_ms += (tls or 0.0) * _MS
            counts.connect_authentication_ms += authentication * _MS
        if self._observe is not None:
            self._observe("create", event.address, total)

    def connection_closed(self, event: Any) -> None:
        with self._process.lock:
            self._process.counts.connections_closed[event.reason] += 1
            making = self._making.pop((event.address, event.connection_id), None)
            if making is not None:
                making.stop()
                return
            pool = self.pools[event.address]
            # After a fork the parent's connections are no longer known here.
            pool.open = max(0, pool.open - 1)

    def connection_check_out_started(self, event: Any) -> None:
        with self._process.lock:
            pool = self.pools[event.address]
            if not pool.in_use and not self._making:
                # Nothing could be waited for. A wait that was cancelled (asyncio) has no event of its own.
                pool.waiting = 0
            pool.waiting += 1

    def connection_checked_out(self, event: Any) -> None:
        seconds = event.duration or 0.0
        with self._process.lock:
            pool = self.pools[event.address]
            pool.waiting = max(0, pool.waiting - 1)
            pool.in_use += 1
            self._process.in_use += 1
            self._checked_out[event.address, event.connection_id] = monotonic()
            counts = self._process.counts
            counts.checkouts += 1
            counts.checkout_ms += seconds * _MS
            counts.checkout_ms_max = max(counts.checkout_ms_max, seconds * _MS)
            counts.connections_in_use_max = max(counts.connections_in_use_max, self._process.in_use)
        if self._observe is not None:
            self._observe("wait", event.address, seconds)

    def connection_check_out_failed(self, event: Any) -> None:
        with self._process.lock:
            pool = self.pools[event.address]
            pool.waiting = max(0, pool.waiting - 1)
            self._process.counts.checkouts_failed[event.reason] += 1
        if self._observe is not None and event.reason == "timeout":
            self._observe("timeout", event.address, 1)

    def connection_checked_in(self, event: Any) -> None:
        with self._process.lock:
            since = self._checked_out.pop((event.address, event.connection_id), None)
            pool = self.pools[event.address]
            pool.in_use = max(0, pool.in_use - 1)
            self._process.in_use = max(0, self._process.in_use - 1)
        if self._observe is not None and since is not None:
            self._observe("use", event.address, monotonic() - since)

    def pool_ready(self, event: Any) -> None: ...

    def pool_cleared(self, event: Any) -> None: ...
