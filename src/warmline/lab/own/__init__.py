"""
A user's own function: found by its handler, run against a cluster of the lab's or of the user's.
"""

from __future__ import annotations

from .function import MEMORY_MB, TIMEOUT_SECONDS, URI, own_function, with_uri
from .session import Session, open_session

__all__ = ["MEMORY_MB", "TIMEOUT_SECONDS", "URI", "Session", "open_session", "own_function", "with_uri"]
