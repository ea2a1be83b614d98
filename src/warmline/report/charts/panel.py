"""
What the charts of a panel have in common: their frame, their axes and their legend.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.artist import Artist
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from .phases import PLOT_WIDTH, TimeAxis
from .svg import GRID, PANEL_WIDTH, TEXT_SIZE, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEFT, _BOTTOM = 50, 40
_LEGEND_ROW = 17
_LEGEND_HANDLE = 32


def plot_height(above: float, height: float) -> float:
    """
    The height of a figure with a plot so high and so much above it.
    """
    return above + height + _BOTTOM


def plot_axes(figure: Figure, height: float, axis: TimeAxis) -> Axes:
    """
    Axes that stand at the same place in every chart, with the time below.
    """
    total = figure.get_size_inches()[1] * 72
    axes = figure.add_axes(
        (_LEFT / PANEL_WIDTH, _BOTTOM / total, PLOT_WIDTH / PANEL_WIDTH, height / total), facecolor="none"
    )
    axes.set_xlim(0, axis.end)
    axes.set_xlabel("seconds since the variant's start")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_locator(FixedLocator([]))
    axes.grid(axis="y", linewidth=1, zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0, pad=5)
    axes.tick_params(axis="x", length=4, color=GRID)
    axes.spines[["left", "right", "top"]].set_visible(False)
    return axes


def linear_counts(axes: Axes, highest: float, what: str) -> None:
    """
    A linear scale of whole numbers from zero.
    """
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_ylim(0, max(highest, 1) * 1.05)
    axes.set_ylabel(what)


def legend_height(handles: Sequence[Artist]) -> float:
    """
    The pixels that the legend takes above the plot.
    """
    return math.ceil(len(handles) / _columns(handles)) * _LEGEND_ROW if handles else 0


def draw_legend(figure: Figure, handles: Sequence[Artist]) -> None:
    """
    Draw it at the top, in as many columns as there is room for.
    """
    figure.legend(
        handles=list(handles),
        loc="upper left",
        bbox_to_anchor=(0, 1),
        ncols=_columns(handles),
        frameon=False,
        borderpad=0.1,
        borderaxespad=0,
        columnspacing=1.2,
        handlelength=2,
        handletextpad=0.5,
        fontsize=TEXT_SIZE,
    )


def _columns(handles: Sequence[Artist]) -> int:
    widest = max(text_width(str(handle.get_label())) for handle in handles) + _LEGEND_HANDLE
    return max(1, min(len(handles), int(PANEL_WIDTH // widest)))
