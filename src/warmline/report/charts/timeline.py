"""
What a variant went through: a panel each, with its connections and its environments above one time axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..wording import variant_label
from .chart import Chart
from .connections import connection_charts
from .environments import environment_charts
from .phases import events_of, time_axis

if TYPE_CHECKING:
    from ...lab.experiments.result import ExperimentResult


@dataclass(frozen=True, slots=True)
class Panel:
    """
    One variant's charts, of which there may be none.
    """

    label: str
    charts: tuple[Chart, ...]


def timeline(result: ExperimentResult) -> tuple[Panel, ...]:
    """
    A panel for each variant, all to the same scales; none if the run has no samples at all.
    """
    sampled = [series.seconds for series in result.connections]
    sampled += [series.seconds for series in result.environments]
    last = max((seconds[-1] for seconds in sampled if seconds), default=None)
    if last is None:
        return ()
    axis = time_axis(last, [event for variant in result.variants for event in events_of(result, variant)])
    # Where both are there, the upper chart's labels do for both.
    connections = connection_charts(result, axis)
    environments = environment_charts(result, axis, label_events=not connections)
    return tuple(
        Panel(
            variant_label(result, variant),
            tuple(charts[variant] for charts in (connections, environments) if variant in charts),
        )
        for variant in result.variants
    )
