"""
Percentiles of what the callers waited.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def percentile(values: Sequence[float], percent: float) -> float:
    """
    The value below which so many percent of the values lie, interpolated; NaN without values.
    """
    return float(np.percentile(values, percent)) if values else float("nan")
