"""
The unit of a metric, which its name has as one of its words.
"""

from __future__ import annotations

_UNITS = {"ms": "ms", "seconds": "s", "percent": "%", "mib": "MiB"}


def unit(metric: str) -> str:
    """
    ``ms`` of ``warm_ms_p50``; empty for a count.
    """
    return next((_UNITS[word] for word in metric.split("_") if word in _UNITS), "")
