"""
A listener to one client's pools: when the environment was awake, and what an operation waited for.
"""

from __future__ import annotations

import time
from typing import Any

from pymongo.monitoring import ConnectionCheckOutFailedReason, ConnectionPoolListener

from . import thaw
from .waits import WAITS


class Watch(ConnectionPoolListener):
    """
    Hears the driver's public events; what it does not need it lets pass.
    """

    def __init__(self) -> None:
        self._checked_out: dict[tuple[Any, int], float] = {}

    def connection_check_out_started(self, event: Any) -> None:
        # For a handler without our decorator: nobody has looked after a freeze yet.
        thaw.at_checkout()

    def connection_checked_out(self, event: Any) -> None:
        self._checked_out[event.address, event.connection_id] = time.monotonic()

    def connection_checked_in(self, event: Any) -> None:
        thaw.note_awake()
        since = self._checked_out.pop((event.address, event.connection_id), None)
        waits = WAITS.get()
        if waits is not None and since is not None:
            waits.note("socket", time.monotonic() - since, event.address)

    def connection_check_out_failed(self, event: Any) -> None:
        waits = WAITS.get()
        if waits is not None:
            timed_out = event.reason == ConnectionCheckOutFailedReason.TIMEOUT
            waits.note("checkout" if timed_out else "connecting", event.duration or 0.0, event.address)

    def pool_created(self, event: Any) -> None: ...

    def pool_ready(self, event: Any) -> None: ...

    def pool_cleared(self, event: Any) -> None: ...

    def pool_closed(self, event: Any) -> None: ...

    def connection_created(self, event: Any) -> None: ...

    def connection_ready(self, event: Any) -> None: ...

    def connection_closed(self, event: Any) -> None: ...
