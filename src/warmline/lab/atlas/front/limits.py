"""
How many connections a node takes, and how many new ones in a second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

# Atlas says that connections above the rate are queued, and dropped if it goes on, but not how many and how long:
# these two are ours. For a queue of its own the server's manual advises one that no client leaves for impatience, and
# PyMongo's connectTimeoutMS is 20 s.
# Source: https://www.mongodb.com/docs/manual/tutorial/configure-rate-limiter/
QUEUE_LENGTH = 1000
QUEUE_SECONDS = 20.0

# How often a connection that waits is looked at.
_LOOK_SECONDS = 0.2


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
    The queue after a change, in seconds since the node's start: waiting now, and so far admitted, dropped, and gone
    while they waited.
    """

    seconds: float
    waiting: int
    admitted: int
    dropped: int
    gone: int


class Admission:
    """
    A token bucket that holds one second's worth: a burst of so many passes at once, the others wait their turn.
    """

    def __init__(self) -> None:
        self._started = time.monotonic()
        # When the next connection would be due if none were let through early.
        self._due = 0.0
        self._waiting = self._admitted = self._dropped = self._gone = 0
        self.samples: list[AdmissionSample] = []

    async def admit(self, new_per_second: int, has_gone: Callable[[], bool]) -> str | None:
        """
        Wait for one's turn; return why it did not come, if it did not: ``admission`` (the queue is full) or ``gone``.

        A client that goes while it waits gives its token back, for the next one that comes; those behind it keep
        their times. MongoDB's own server, which waits in the same way, looks for clients that have gone too.
        Source: https://github.com/mongodb/mongo/blob/master/src/mongo/db/admission/README.md
        """
        interval = 1 / new_per_second
        now = time.monotonic()
        due = max(self._due, now)
        wait = max(0.0, due - now - (1.0 - interval))
        if wait > QUEUE_SECONDS or self._waiting >= QUEUE_LENGTH:
            self._dropped += 1
            self._sample()
            return "admission"
        self._due = due + interval
        if wait > 0 and not await self._wait_until(now + wait, has_gone):
            self._due -= interval
            self._gone += 1
            self._sample()
            return "gone"
        self._admitted += 1
        self._sample()
        return None

    async def _wait_until(self, turn: float, has_gone: Callable[[], bool]) -> bool:
        """
        Wait; ``False`` if the client has gone meanwhile.
        """
        self._waiting += 1
        self._sample()
        try:
            while not has_gone():
                left = turn - time.monotonic()
                if left <= 0:
                    return True
                await asyncio.sleep(min(left, _LOOK_SECONDS))
        finally:
            self._waiting -= 1
        return False

    def _sample(self) -> None:
        seconds = time.monotonic() - self._started
        self.samples.append(AdmissionSample(seconds, self._waiting, self._admitted, self._dropped, self._gone))
