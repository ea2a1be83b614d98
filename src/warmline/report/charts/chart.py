"""
A chart as the page takes it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chart:
    """
    ``summary`` is a sentence for everybody; the ``svg`` describes itself besides to those who don't see it.
    """

    title: str
    summary: str
    svg: str
