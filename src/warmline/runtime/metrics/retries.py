"""
The listener to commands that knows a retry.

The driver publishes no event of its own for one. A write that is retried carries the transaction number of its first
attempt, by which the server knows it too. A read has none, but from PyMongo 4.18 on all attempts of one operation have
the same operation id. A retry after a checkout that failed can't be seen: there was no first command.

Source: https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md
"""

from __future__ import annotations

from collections import deque
from typing import Any

from pymongo.monitoring import CommandListener

from .counts import Process

# A driver's session lives for half an hour at most, and there are as many as operations at the same time.
_MOST_SESSIONS = 1000


class RetryListener(CommandListener):
    """
    Counts one client's retries for its process.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        # The last write of each session, and the operations whose last command failed.
        self._last_write: dict[bytes, int] = {}
        self._failed: deque[int] = deque(maxlen=64)

    def started(self, event: Any) -> None:
        command = event.command
        number = command.get("txnNumber")
        if number is not None and "autocommit" not in command:
            session = command["lsid"]["id"]
            with self._process.lock:
                if self._last_write.get(session) == number:
                    self._process.counts.retries += 1
                elif len(self._last_write) >= _MOST_SESSIONS:
                    self._last_write.clear()
                self._last_write[session] = number
        elif self._failed:
            with self._process.lock:
                if event.operation_id in self._failed:
                    self._failed.remove(event.operation_id)
                    self._process.counts.retries += 1

    def failed(self, event: Any) -> None:
        # An operation of one command only has that command's id.
        if event.operation_id != event.request_id:
            with self._process.lock:
                self._failed.append(event.operation_id)

    def succeeded(self, event: Any) -> None: ...
