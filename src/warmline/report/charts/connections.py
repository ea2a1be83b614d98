"""
Open connections over time: a small chart for each variant, all to the same scale, a line for each node.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from ..wording import variant_label
from .phases import TimeAxis, draw_phases, lanes, lanes_height, time_axis
from .steps import step_points
from .svg import GRID, MUTED, PANEL_WIDTH, SERIES, TEXT_SIZE, chart_style, new_figure, text_width, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...lab.experiments.result import ConnectionSeries, Event, ExperimentResult

_PRIMARY = "primary"

_LEFT, _RIGHT, _BOTTOM = 50, 8, 40
_PLOT_WIDTH = PANEL_WIDTH - _LEFT - _RIGHT
_PLOT_HEIGHT = 190
_LEGEND_ROW = 17
_LEGEND_HANDLE = 32

# Beyond this ratio of the highest peak to the lowest one, the low chart would be a flat line.
_LINEAR_UP_TO = 10

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


@dataclass(frozen=True, slots=True)
class ConnectionChart:
    """
    One variant's chart; ``svg`` is empty if nothing was sampled.
    """

    label: str
    summary: str
    svg: str


@dataclass(frozen=True, slots=True)
class _Frame:
    """
    What all charts share, so that they can be compared.
    """

    nodes: tuple[str, ...]
    highest: int
    logarithmic: bool
    axis: TimeAxis
    lanes: int


def connection_charts(result: ExperimentResult) -> tuple[ConnectionChart, ...]:
    """
    A chart for each variant; none if the run has no samples at all.
    """
    if not any(series.counts for series in result.connections):
        return ()
    frame = _frame(result)
    return tuple(_chart(result, number, variant, frame) for number, variant in enumerate(result.variants))


def scale_is_logarithmic(result: ExperimentResult) -> bool:
    """
    Whether the peaks of the variants lie too far apart for one linear scale.
    """
    peaks = [
        max((max(series.counts, default=0) for series in _of(result, name)), default=0) for name in result.variants
    ]
    seen = [peak for peak in peaks if peak > 0]
    return bool(seen) and max(seen) > _LINEAR_UP_TO * min(seen)


def _frame(result: ExperimentResult) -> _Frame:
    nodes = list(dict.fromkeys(series.node for series in result.connections))
    # The first line is the emphasised one.
    nodes.sort(key=lambda node: node != _PRIMARY)
    events = [event for variant in result.variants for event in _events(result, variant)]
    last = max(series.seconds[-1] for series in result.connections if series.seconds)
    axis = time_axis(last, events, _PLOT_WIDTH)
    return _Frame(
        nodes=tuple(nodes),
        highest=max(max(series.counts, default=0) for series in result.connections),
        logarithmic=scale_is_logarithmic(result),
        axis=axis,
        lanes=max((lane + 1 for name in result.variants for lane in lanes(_events(result, name), axis)), default=0),
    )


def _chart(result: ExperimentResult, number: int, variant: str, frame: _Frame) -> ConnectionChart:
    label = variant_label(result, variant)
    mine = [series for series in _of(result, variant) if series.counts]
    if not mine:
        return ConnectionChart(label, "No connection counts were recorded.", "")
    with chart_style(f"connections-{number}"):
        legend = _legend(frame.nodes)
        columns = _legend_columns([str(entry.get_label()) for entry in legend])
        above = math.ceil(len(legend) / columns) * _LEGEND_ROW + lanes_height(frame.lanes) + 6
        height = above + _PLOT_HEIGHT + _BOTTOM
        figure = new_figure(height)
        axes = figure.add_axes(
            (_LEFT / PANEL_WIDTH, _BOTTOM / height, _PLOT_WIDTH / PANEL_WIDTH, _PLOT_HEIGHT / height), facecolor="none"
        )
        for series in mine:
            seconds, counts = step_points(series.seconds, series.counts)
            axes.plot(seconds, counts, drawstyle="steps-post", **_line(series.node, frame.nodes))
        draw_phases(axes, _events(result, variant), frame.axis, _PLOT_HEIGHT)
        _scales(axes, frame)
        figure.legend(
            handles=legend,
            loc="upper left",
            bbox_to_anchor=(0, 1),
            ncols=columns,
            frameon=False,
            borderpad=0.1,
            borderaxespad=0,
            columnspacing=1.2,
            handlelength=2,
            handletextpad=0.5,
            fontsize=TEXT_SIZE,
        )
        svg = to_svg(figure, f"Open connections over time, {label}. {_each_node(mine)}")
    return ConnectionChart(label, _summary(mine), svg)


def _scales(axes: Axes, frame: _Frame) -> None:
    axes.set_xlim(0, frame.axis.end)
    axes.set_xlabel("seconds since the variant's start")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    top = max(frame.highest, 1)
    if frame.logarithmic:
        # Symmetric: unlike a plain logarithm it has a place for zero.
        axes.set_yscale("symlog", linthresh=1, linscale=0.5)
        axes.yaxis.set_major_locator(FixedLocator([0, *(10**power for power in range(math.ceil(math.log10(top)) + 1))]))
        axes.set_ylim(0, top * 1.5)
        axes.set_ylabel("open connections (log scale)")
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.set_ylim(0, top * 1.05)
        axes.set_ylabel("open connections")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_locator(FixedLocator([]))
    axes.grid(axis="y", linewidth=1, zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0, pad=5)
    axes.tick_params(axis="x", length=4, color=GRID)
    axes.spines[["left", "right", "top"]].set_visible(False)


def _line(node: str, nodes: Sequence[str]) -> dict[str, Any]:
    if len(nodes) > len(_LINES) and node != _PRIMARY:
        return _ONE_OF_MANY
    return _LINES[nodes.index(node)]


def _legend(nodes: Sequence[str]) -> list[Line2D]:
    shown = {node: node for node in nodes}
    if len(nodes) > len(_LINES):
        shown = {nodes[-1]: f"{len(nodes)} nodes"}
        if nodes[0] == _PRIMARY:
            shown = {_PRIMARY: _PRIMARY, nodes[-1]: f"{len(nodes) - 1} other nodes"}
    return [Line2D([], [], label=label, **_line(node, nodes)) for node, label in shown.items()]


def _legend_columns(labels: Sequence[str]) -> int:
    widest = max(text_width(label) for label in labels) + _LEGEND_HANDLE
    return max(1, min(len(labels), int(PANEL_WIDTH // widest)))


def _summary(mine: Sequence[ConnectionSeries]) -> str:
    for series in mine:
        if series.node == _PRIMARY:
            return f"At most {max(series.counts):,} on the primary, {series.counts[-1]:,} at the end."
    return f"At most {max(max(series.counts) for series in mine):,} on a node."


def _each_node(mine: Sequence[ConnectionSeries]) -> str:
    nodes = (f"{series.node}: at most {max(series.counts):,}, at the end {series.counts[-1]:,}" for series in mine)
    return "; ".join(nodes) + "."


def _of(result: ExperimentResult, variant: str) -> list[ConnectionSeries]:
    return [series for series in result.connections if series.variant == variant]


def _events(result: ExperimentResult, variant: str) -> list[Event]:
    return sorted(result.events.get(variant, ()), key=lambda event: event.seconds)
