"""
Where an execution environment stands, and the ways in which it can end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

# The ways in which an environment can end, see the methods of `Environment` that have these names.
How = Literal["shutdown", "terminate", "kill", "destroy"]


class State(Enum):
    """
    Where an environment stands.
    """

    STARTING = "starting"
    SNAPSHOT = "snapshot"
    BUSY = "busy"
    IDLE = "idle"
    FROZEN = "frozen"
    # Nothing runs in it after a failure: its next invocation begins with Init.
    RESET = "reset"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Ending:
    """
    How an environment ended: exit code (negative: the signal), and the time from the first signal to its end.

    ``killed_after_ms`` is when the first SIGKILL ended what should have ended by itself; ``None`` if all did.
    ``extensions`` are the exit codes of external extensions.
    """

    exit_code: int
    milliseconds: float
    killed_after_ms: float | None
    extensions: Mapping[str, int] = field(default_factory=dict)
