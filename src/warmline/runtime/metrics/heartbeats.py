"""
The listener to the monitors' heartbeats.
"""

from __future__ import annotations

from typing import Any

from pymongo.monitoring import ServerHeartbeatListener

from .counts import Process


class HeartbeatListener(ServerHeartbeatListener):
    """
    Counts one client's failed heartbeats for its process.
    """

    def __init__(self, process: Process) -> None:
        self._process = process

    def failed(self, event: Any) -> None:
        with self._process.lock:
            self._process.counts.heartbeats_failed += 1

    def started(self, event: Any) -> None: ...

    def succeeded(self, event: Any) -> None: ...
