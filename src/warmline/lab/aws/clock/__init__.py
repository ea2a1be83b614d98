"""
A monotonic clock that stands still while an environment is frozen, as field reports say that Lambda's does.
"""

from __future__ import annotations

from .stopped import StoppedClock, clock_library

__all__ = ["StoppedClock", "clock_library"]
