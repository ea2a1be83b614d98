"""
Environments by state over time: a small stacked chart for each variant, all to the same scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Patch

from ..wording import variant_label
from .chart import Chart
from .panel import draw_legend, legend_height, linear_counts, plot_axes, plot_height
from .phases import TimeAxis, draw_phases, events_of, lanes, lanes_height
from .svg import MUTED, STATES, chart_style, new_figure, to_svg

if TYPE_CHECKING:
    from ...lab.experiments.result import ExperimentResult, StateSeries

_PLOT_HEIGHT = 110

# From the bottom up, as an environment's life goes; what is not here is grey.
_COLOURS = {
    "starting": STATES[0],
    "snapshot": STATES[1],
    "busy": STATES[2],
    "idle": STATES[3],
    "frozen": STATES[4],
}

# A panel has less than two pixels for each.
_MOST_STEPS = 160


def environment_charts(result: ExperimentResult, axis: TimeAxis, *, label_events: bool) -> Mapping[str, Chart]:
    """
    A chart for each variant that has samples.
    """
    by_variant = {
        variant: [series for series in result.environments if series.variant == variant and series.counts]
        for variant in result.variants
    }
    states = list(dict.fromkeys(series.state for mine in by_variant.values() for series in mine))
    states.sort(key=lambda state: list(_COLOURS).index(state) if state in _COLOURS else len(_COLOURS))
    highest = max((max(_totals(mine)) for mine in by_variant.values() if mine), default=0)
    return {
        variant: _chart(result, number, variant, mine, states, highest, axis, label_events=label_events)
        for number, (variant, mine) in enumerate(by_variant.items())
        if mine
    }


def _chart(
    result: ExperimentResult,
    number: int,
    variant: str,
    mine: Sequence[StateSeries],
    states: Sequence[str],
    highest: int,
    axis: TimeAxis,
    *,
    label_events: bool,
) -> Chart:
    label = variant_label(result, variant)
    events = events_of(result, variant)
    with chart_style(f"environments-{number}"):
        legend = [Patch(facecolor=_colour(state), label=state) for state in states]
        labels = lanes_height(max(lanes(events, axis), default=-1) + 1) if label_events else 0
        above = legend_height(legend) + labels + 6
        figure = new_figure(plot_height(above, _PLOT_HEIGHT))
        axes = plot_axes(figure, _PLOT_HEIGHT, axis)
        of_state = {series.state: series for series in mine}
        seconds = mine[0].seconds
        layers = [of_state[state].counts if state in of_state else (0,) * len(seconds) for state in states]
        moments, means = _steps(seconds, layers)
        axes.stackplot(moments, means, step="post", colors=[_colour(state) for state in states], linewidth=0, zorder=2)
        # The quiet layer is hardly darker than the page: a line says where the stack ends.
        axes.step(moments, means.sum(axis=0), where="post", color=MUTED, linewidth=1, zorder=2.2)
        draw_phases(axes, events, axis, _PLOT_HEIGHT, labels=label_events)
        linear_counts(axes, highest, "environments")
        draw_legend(figure, legend)
        described = "; ".join(f"{series.state}: at most {max(series.counts):,}" for series in mine)
        summary = _summary(mine)
        svg = to_svg(figure, f"Environments by state over time, {label}. {summary} {described}.")
    return Chart("Environments by state", summary, svg)


def _steps(seconds: Sequence[float], layers: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """
    The layers as few steps: where there are too many, each step is the mean over its stretch of time, so that the
    layers still add up.
    """
    moments, counts = np.asarray(seconds, dtype=float), np.asarray(layers, dtype=float)
    if len(moments) <= _MOST_STEPS or moments[-1] == moments[0]:
        return moments, counts
    # The area below each layer so far; between two moments it grows evenly.
    areas = np.concatenate([np.zeros((len(counts), 1)), np.cumsum(counts[:, :-1] * np.diff(moments), axis=1)], axis=1)
    edges = np.linspace(moments[0], moments[-1], _MOST_STEPS + 1)
    at_edges = np.array([np.interp(edges, moments, area) for area in areas])
    means = np.diff(at_edges, axis=1) / np.diff(edges)
    return edges, np.concatenate([means, counts[:, -1:]], axis=1)


def _totals(mine: Sequence[StateSeries]) -> list[int]:
    return [sum(counts) for counts in zip(*(series.counts for series in mine), strict=True)]


def _summary(mine: Sequence[StateSeries]) -> str:
    totals = _totals(mine)
    return f"At most {max(totals):,} environments at once, {totals[-1]:,} at the end."


def _colour(state: str) -> str:
    return _COLOURS.get(state, STATES[-1])
