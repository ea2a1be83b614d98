"""
The page's charts as inline SVG, drawn by matplotlib, coloured by the page's style sheet.
"""

from __future__ import annotations

from .chart import Chart
from .connections import scale_is_logarithmic
from .latency import LatencyChart, latency_charts
from .timeline import Panel, timeline

__all__ = ["Chart", "LatencyChart", "Panel", "latency_charts", "scale_is_logarithmic", "timeline"]
