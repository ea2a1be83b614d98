"""
What a run has seen, before it is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..aws import Ending
from ..experiments.result import Event
from ..load import Call
from ..measure import ConnectionSample

Samples = Mapping[str, ConnectionSample]


@dataclass(frozen=True, slots=True)
class FunctionRun:
    """
    What one function's callers saw, and how its environments ended.
    """

    name: str
    calls: tuple[Call, ...]
    memory_mib: float
    endings: tuple[Ending, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """
    A run's moments and samples: ``started`` on the monotonic clock, and how many seconds were watched since then.

    ``failed_events`` tell in words of those that could not happen. ``at_rest`` was sampled when all load was done,
    ``left`` some time after the environments' end.
    """

    functions: tuple[FunctionRun, ...]
    events: tuple[Event, ...]
    failed_events: tuple[str, ...]
    started: float
    watched: float
    at_rest: Samples
    left: Samples
