"""
The kinds of templates that are read: one module each, listed here. The first that takes a file reads it.
"""

from __future__ import annotations

from ..reader import Reader

READERS: tuple[Reader, ...] = ()

__all__ = ["READERS"]
