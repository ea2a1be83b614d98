"""
The tables everything else reads: practices, limits, links. Standard library only.
"""

from __future__ import annotations

from .atlas_tiers import TIERS, AtlasTier, UnknownTierError, tier
from .places import DoesNotApply, Filled, NotYet, Place
from .practice import Practice, Source
from .practices import PRACTICES, UnknownPracticeError

# `practices.practice()` is not re-exported: it would hide the module `practice`.
__all__ = [
    "PRACTICES",
    "TIERS",
    "AtlasTier",
    "DoesNotApply",
    "Filled",
    "NotYet",
    "Place",
    "Practice",
    "Source",
    "UnknownPracticeError",
    "UnknownTierError",
    "tier",
]
