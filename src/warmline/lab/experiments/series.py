"""
A variant's connections and environments over time, from what the bench's samplers have seen.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from .bench import AtlasBench, Bench
from .result import ConnectionSeries, Event, StateSeries


@dataclass(frozen=True, slots=True)
class Course:
    """
    What a variant went through.
    """

    events: tuple[Event, ...]
    connections: tuple[ConnectionSeries, ...]
    environments: tuple[StateSeries, ...]


def course(
    bench: Bench | AtlasBench, variant: str, apps: Collection[str], started: float, events: Sequence[Event] = ()
) -> Course:
    """
    Its events, and from a moment until now its connections and environments, as the two functions below have them.

    It asks the servers once more, so it belongs into a thread.
    """
    return Course(
        tuple(events),
        connections_over_time(bench, variant, apps, started),
        environments_over_time(bench, variant, started),
    )


class _Sample(Protocol):
    @property
    def seconds(self) -> float: ...


_AnySample = TypeVar("_AnySample", bound=_Sample)


def environments_over_time(bench: Bench | AtlasBench, variant: str, started: float) -> tuple[StateSeries, ...]:
    """
    All environments of the bench by state, from a moment of the monotonic clock until now.

    It is a variant's series if no other variant had environments meanwhile: ask when the variant is through.
    """
    now = bench.states.now()
    samples = [*_since(started, bench.states.samples), now]
    seconds = tuple(max(0.0, sample.seconds - started) for sample in samples)
    seen = [state for state in now.counts if any(sample.counts[state] for sample in samples)]
    return tuple(
        StateSeries(variant, state.value, seconds, tuple(sample.counts[state] for sample in samples)) for state in seen
    )


def connections_over_time(
    bench: Bench | AtlasBench, variant: str, apps: Collection[str], started: float
) -> tuple[ConnectionSeries, ...]:
    """
    The connections with one of these ``appName`` on each node, from a moment until now, with the tier's limit.

    What opens and closes between two samples is not in it; ``most_open`` has it, from the server's log.
    """
    bench.sampler.now()
    series = []
    for node, name in bench.nodes.items():
        samples = _since(started, [sample for sample in bench.sampler.samples if sample.node == node])
        seconds = tuple(max(0.0, sample.seconds - started) for sample in samples)
        counts = tuple(sum(sample.by_app.get(app, 0) for app in apps) for sample in samples)
        series.append(ConnectionSeries(variant, name, seconds, counts, bench.limit))
    return tuple(series)


def _since(started: float, samples: Sequence[_AnySample]) -> list[_AnySample]:
    """
    What was so when it started, and every sample since.
    """
    before = [sample for sample in samples if sample.seconds <= started]
    return [*before[-1:], *samples[len(before) :]]
