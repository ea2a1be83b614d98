"""
A run in the terminal while it goes on: who runs, who is connected, what was answered, how far it is.
"""

from __future__ import annotations

from .view import LiveView

__all__ = ["LiveView"]
