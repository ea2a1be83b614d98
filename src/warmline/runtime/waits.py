"""
What the operations of an invocation have waited for, so that the error of one that ran out of time can say it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Literal

Wait = Literal["server selection", "checkout", "connecting", "socket"]

Node = tuple[str, int | None]


class Waits:
    """
    The last wait of one invocation: for what, how many seconds, and on which node (host and port), if on one.

    ``until`` is when operations must have ended (monotonic clock), if there is a deadline.
    """

    __slots__ = ("node", "seconds", "until", "what")

    def __init__(self, until: float | None = None) -> None:
        self.until = until
        self.what: Wait | None = None
        self.seconds = 0.0
        self.node: Node | None = None

    def note(self, what: Wait, seconds: float, node: Node | None = None) -> None:
        """
        Put this wait in place of the last one.
        """
        self.what, self.seconds, self.node = what, seconds, node


# ``None`` outside of invocations. Tasks that an invocation starts share its waits; threads that it starts do not.
WAITS: ContextVar[Waits | None] = ContextVar("warmline_waits", default=None)
