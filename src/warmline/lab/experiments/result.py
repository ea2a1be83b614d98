"""
What an experiment gives back: the same for every one, so that runs can be compared and shown alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """
    How to read one of a variant's values; ``name`` ends in the unit where there is one.

    Metrics of one ``group`` are a table of their own: the group is its heading, and their labels are short.

    Values that are no quantities have ``words``: what 0, 1, 2… mean.
    """

    name: str
    label: str
    decimals: int = 0
    group: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """
    Something that happened to a variant, in seconds since the variant's start: the beginning of a phase, say.
    """

    seconds: float
    label: str


@dataclass(frozen=True, slots=True)
class ConnectionSeries:
    """
    The variant's open connections on one node over time: ``counts[i]`` from ``seconds[i]`` since the variant's start.

    ``node`` is a name such as ``primary`` or ``secondary 1``; ``limit`` is how many connections it admits.
    """

    variant: str
    node: str
    seconds: tuple[float, ...]
    counts: tuple[int, ...]
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class StateSeries:
    """
    The variant's environments in one state over time: ``counts[i]`` from ``seconds[i]`` since the variant's start.

    ``state`` is a name such as ``busy`` or ``frozen``. The series of a variant have the same ``seconds``, so that they
    can be stacked.
    """

    variant: str
    state: str
    seconds: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Latencies:
    """
    What the caller waited for each invocation of a variant, in milliseconds, cold and warm starts apart.
    """

    variant: str
    cold_ms: tuple[float, ...]
    warm_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Waits:
    """
    What the two kinds of latencies are called, and a sentence on each.
    """

    cold: str = "Cold starts"
    cold_text: str = "The first invocation in a new environment."
    warm: str = "Warm invocations"
    warm_text: str = "Every later one in the same environment."


@dataclass(frozen=True, slots=True)
class ExperimentResult:
    """
    One run of one experiment.

    ``variants`` maps a variant to its metrics, ``ratios`` a comparison to its value. ``question`` and ``answer`` are
    a sentence each; ``notes`` say what the run can't show. Who has it run says when it ended (``date``, ISO 8601) and
    how many ``seconds`` it took.
    """

    experiment: str
    title: str
    question: str
    answer: str
    metrics: tuple[Metric, ...]
    variants: Mapping[str, Mapping[str, float]]
    variant_labels: Mapping[str, str]
    ratios: Mapping[str, float]
    machine: Mapping[str, str | int | float]
    versions: Mapping[str, str]
    parameters: Mapping[str, str | int | float]
    connections: tuple[ConnectionSeries, ...]
    latencies: tuple[Latencies, ...]
    events: Mapping[str, tuple[Event, ...]]
    notes: tuple[str, ...]
    command: str
    environments: tuple[StateSeries, ...] = ()
    date: str = ""
    seconds: float = 0.0
    waits: Waits = Waits()
