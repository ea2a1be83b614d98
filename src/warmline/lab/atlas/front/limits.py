"""
How many connections a node takes, and how many new ones in a second.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

# Atlas says that connections above the rate are queued, and dropped if it goes on, but not how many and how long:
# these two are ours.
QUEUE_LENGTH = 1000
QUEUE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Limits:
    """
    Of one node: open connections at once, and new connections a second (``None``: as many as come).
    """

    connections: int | None = None
    new_per_second: int | None = None


@dataclass(frozen=True, slots=True)
class AdmissionSample:
    """
    The queue after a change, in seconds since the node's start: waiting now, admitted and dropped so far.
    """

    seconds: float
    waiting: int
    admitted: int
    dropped: int


class Admission:
    """
    A token bucket that holds one second's worth: a burst of so many passes at once, the others wait their turn.
    """

    def __init__(self, new_per_second: int) -> None:
        self._interval = 1 / new_per_second
        self._burst_seconds = 1.0 - self._interval
        self._started = time.monotonic()
        # When the next connection would be due if none were let through early.
        self._due = 0.0
        self._waiting = self._admitted = self._dropped = 0
        self.samples: list[AdmissionSample] = []

    async def admit(self) -> bool:
        """
        Wait for one's turn; ``False`` if the queue is too long for it.
        """
        now = time.monotonic()
        due = max(self._due, now)
        wait = max(0.0, due - now - self._burst_seconds)
        if wait > QUEUE_SECONDS or self._waiting >= QUEUE_LENGTH:
            self._dropped += 1
            self._sample()
            return False
        self._due = due + self._interval
        if wait > 0:
            self._waiting += 1
            self._sample()
            try:
                await asyncio.sleep(wait)
            finally:
                self._waiting -= 1
        self._admitted += 1
        self._sample()
        return True

    def _sample(self) -> None:
        seconds = time.monotonic() - self._started
        self.samples.append(AdmissionSample(seconds, self._waiting, self._admitted, self._dropped))
