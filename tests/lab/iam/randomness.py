"""
Chance that is the same in every run, whatever else the run does with `random`.
"""

from __future__ import annotations

import random


def seeded(seed: int) -> random.Random:
    """
    Return a generator of its own.
    """
    return random.Random(seed)
