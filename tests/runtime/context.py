"""
The part of Lambda's context object that matters here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Context:
    """
    An invocation with so many seconds left, from now on.
    """

    seconds: float
    started: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.started + self.seconds - time.monotonic()) * 1000))
