"""
What a running lab is doing just now, read from its counters: nothing is asked of a server or an environment for it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...lab.experiments.bench import AtlasBench, Bench

# Invocations per second are those of so many seconds past.
_RATE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class NodeNow:
    """
    One node: what it is called, its open connections (``None``: it is down), and how many it admits.
    """

    name: str
    open: int | None
    limit: int | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    A running lab at one moment.
    """

    states: Mapping[str, int]
    nodes: tuple[NodeNow, ...]
    invocations: int
    per_second: float
    errors: int
    throttles: int


class Watch:
    """
    Takes snapshots of one bench.
    """

    def __init__(self, bench: Bench | AtlasBench) -> None:
        self._bench = bench
        self._past: deque[tuple[float, int]] = deque()

    def now(self) -> Snapshot:
        """
        Take one; a few times a second is often enough.
        """
        bench, counters = self._bench, self._bench.service.counters
        latest = bench.sampler.latest
        return Snapshot(
            states={state.value: count for state, count in bench.service.states().items()},
            nodes=tuple(
                NodeNow(label, sum(latest[node].by_app.values()) if node in latest else None, bench.limit)
                for node, label in bench.nodes.items()
            ),
            invocations=counters.invocations,
            per_second=self._rate(time.monotonic(), counters.invocations),
            errors=counters.errors,
            throttles=counters.throttles,
        )

    def _rate(self, now: float, invocations: int) -> float:
        self._past.append((now, invocations))
        while now - self._past[0][0] > _RATE_SECONDS and len(self._past) > 2:
            self._past.popleft()
        began, before = self._past[0]
        return (invocations - before) / (now - began) if now > began else 0.0
