"""
The page's charts as inline SVG, drawn by matplotlib, coloured by the page's style sheet.
"""

from __future__ import annotations

from .connections import ConnectionChart, connection_charts, scale_is_logarithmic
from .latency import LatencyChart, latency_charts

__all__ = ["ConnectionChart", "LatencyChart", "connection_charts", "latency_charts", "scale_is_logarithmic"]
