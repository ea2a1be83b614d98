"""
A user's own function: found by its handler, run against a cluster of the lab's or of the user's.
"""

from __future__ import annotations

from .function import MEMORY_MB, TIMEOUT_SECONDS, URI, own_function, with_uri
from .reload import Reloading
from .session import Session, open_session
from .template import TemplateFunction, read_template

__all__ = [
    "MEMORY_MB",
    "TIMEOUT_SECONDS",
    "URI",
    "Reloading",
    "Session",
    "TemplateFunction",
    "open_session",
    "own_function",
    "read_template",
    "with_uri",
]
