"""
Open connections over time: a small chart for each variant, all to the same scale, a line for each node.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator

from ..wording import variant_label
from .chart import Chart
from .panel import draw_legend, legend_height, linear_counts, plot_axes, plot_height
from .phases import TimeAxis, draw_phases, events_of, lanes, lanes_height
from .steps import step_points
from .svg import INK, MUTED, SERIES, chart_style, new_figure, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...lab.experiments.result import ConnectionSeries, ExperimentResult

_PRIMARY = "primary"

_PLOT_HEIGHT = 190

# Beyond this ratio of the highest peak to the lowest one, the low chart would be a flat line.
_LINEAR_UP_TO = 10

# A limit further above all counts than this would press them to the ground: it is only told.
_LIMIT_SHOWN_UP_TO = 3

# The primary first: widest and lowest, so that it hides no other line. Dashes on a solid line leave both to be seen
# where two nodes have the same count.
_LINES = (
    {"color": SERIES[0], "linewidth": 3.0, "zorder": 3},
    {"color": SERIES[1], "linewidth": 2.0, "zorder": 4},
    {"color": SERIES[2], "linewidth": 1.5, "zorder": 5, "dashes": (4, 4)},
    {"color": SERIES[3], "linewidth": 1.5, "zorder": 6, "dashes": (1.2, 1.6)},
    {"color": SERIES[4], "linewidth": 1.5, "zorder": 7, "dashes": (6, 1.5, 1.2, 1.5)},
)
_ONE_OF_MANY = {"color": MUTED, "linewidth": 1.0, "zorder": 2}
_LIMIT: dict[str, Any] = {"color": INK, "linewidth": 1.5, "zorder": 8, "dashes": (8, 3)}


@dataclass(frozen=True, slots=True)
class _Frame:
    """
    What all charts share, so that they can be compared; ``limit`` is what they show of a node's limit.
    """

    nodes: tuple[str, ...]
    top: int
    limit: int | None
    logarithmic: bool
    axis: TimeAxis
    lanes: int


def connection_charts(result: ExperimentResult, axis: TimeAxis) -> Mapping[str, Chart]:
    """
    A chart for each variant that has samples.
    """
    if not any(series.counts for series in result.connections):
        return {}
    frame = _frame(result, axis)
    by_variant = {variant: [series for series in _of(result, variant) if series.counts] for variant in result.variants}
    return {
        variant: _chart(result, number, variant, mine, frame)
        for number, (variant, mine) in enumerate(by_variant.items())
        if mine
    }


def scale_is_logarithmic(result: ExperimentResult) -> bool:
    """
    Whether the peaks of the variants lie too far apart for one linear scale.
    """
    peaks = [
        max((max(series.counts, default=0) for series in _of(result, name)), default=0) for name in result.variants
    ]
    seen = [peak for peak in peaks if peak > 0]
    return bool(seen) and max(seen) > _LINEAR_UP_TO * min(seen)


def _frame(result: ExperimentResult, axis: TimeAxis) -> _Frame:
    nodes = list(dict.fromkeys(series.node for series in result.connections))
    # The first line is the emphasised one.
    nodes.sort(key=lambda node: node != _PRIMARY)
    highest = max(max(series.counts, default=0) for series in result.connections)
    limit = min((series.limit for series in result.connections if series.limit is not None), default=None)
    if limit is not None and limit > _LIMIT_SHOWN_UP_TO * highest:
        limit = None
    return _Frame(
        nodes=tuple(nodes),
        top=max(highest, limit or 0),
        limit=limit,
        logarithmic=scale_is_logarithmic(result),
        axis=axis,
        lanes=max((lane + 1 for name in result.variants for lane in lanes(events_of(result, name), axis)), default=0),
    )


def _chart(
    result: ExperimentResult, number: int, variant: str, mine: Sequence[ConnectionSeries], frame: _Frame
) -> Chart:
    label = variant_label(result, variant)
    with chart_style(f"connections-{number}"):
        legend = _legend(frame)
        above = legend_height(legend) + lanes_height(frame.lanes) + 6
        figure = new_figure(plot_height(above, _PLOT_HEIGHT))
        axes = plot_axes(figure, _PLOT_HEIGHT, frame.axis)
        for series in mine:
            seconds, counts = step_points(series.seconds, series.counts)
            axes.plot(seconds, counts, drawstyle="steps-post", **_line(series.node, frame.nodes))
        if frame.limit is not None:
            axes.axhline(frame.limit, **_LIMIT)
        draw_phases(axes, events_of(result, variant), frame.axis, _PLOT_HEIGHT)
        _scale(axes, frame)
        draw_legend(figure, legend)
        svg = to_svg(figure, f"Open connections over time, {label}. {_each_node(mine)}")
    return Chart("Open connections", _summary(mine), svg)


def _scale(axes: Axes, frame: _Frame) -> None:
    top = max(frame.top, 1)
    if frame.logarithmic:
        # Symmetric: unlike a plain logarithm it has a place for zero.
        axes.set_yscale("symlog", linthresh=1, linscale=0.5)
        axes.yaxis.set_major_locator(FixedLocator([0, *(10**power for power in range(math.ceil(math.log10(top)) + 1))]))
        axes.yaxis.set_minor_locator(FixedLocator([]))
        axes.set_ylim(0, top * 1.5)
        axes.set_ylabel("open connections (log scale)")
    else:
        linear_counts(axes, top, "open connections")


def _line(node: str, nodes: Sequence[str]) -> dict[str, Any]:
    if len(nodes) > len(_LINES) and node != _PRIMARY:
        return _ONE_OF_MANY
    return _LINES[nodes.index(node)]


def _legend(frame: _Frame) -> list[Line2D]:
    nodes = frame.nodes
    shown = {node: node for node in nodes}
    if len(nodes) > len(_LINES):
        shown = {nodes[-1]: f"{len(nodes)} nodes"}
        if nodes[0] == _PRIMARY:
            shown = {_PRIMARY: _PRIMARY, nodes[-1]: f"{len(nodes) - 1} other nodes"}
    lines = [Line2D([], [], label=label, **_line(node, nodes)) for node, label in shown.items()]
    if frame.limit is not None:
        lines.append(Line2D([], [], label=f"limit of a node: {frame.limit:,}", **_LIMIT))
    return lines


def _summary(mine: Sequence[ConnectionSeries]) -> str:
    limits = {series.limit for series in mine} - {None}
    of_limit = f" A node admits {limits.pop():,}." if len(limits) == 1 else ""
    for series in mine:
        if series.node == _PRIMARY:
            return f"At most {max(series.counts):,} on the primary, {series.counts[-1]:,} at the end.{of_limit}"
    return f"At most {max(max(series.counts) for series in mine):,} on a node.{of_limit}"


def _each_node(mine: Sequence[ConnectionSeries]) -> str:
    nodes = (f"{series.node}: at most {max(series.counts):,}, at the end {series.counts[-1]:,}" for series in mine)
    return "; ".join(nodes) + "."


def _of(result: ExperimentResult, variant: str) -> list[ConnectionSeries]:
    return [series for series in result.connections if series.variant == variant]
