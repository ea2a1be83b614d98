"""
A network of its own for each execution environment, and what can be wrong with it. Linux and root.
"""

from __future__ import annotations

from .conditions import CLEAR, BlackHole, Cut, Network
from .switch import Link, Switch
from .switches import Switches

__all__ = ["CLEAR", "BlackHole", "Cut", "Link", "Network", "Switch", "Switches"]
