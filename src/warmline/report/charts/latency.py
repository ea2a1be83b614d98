"""
What callers waited: a chart for cold starts and one for warm invocations, a row for each variant.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter

from ..wording import milliseconds, variant_label
from .svg import ACCENT, GRID, INK, MUTED, PANEL_WIDTH, chart_style, new_figure, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...lab.experiments.result import ExperimentResult

_MARGIN = 14
_BOTTOM = 40
_LINE = 15
_STRIP = 22
_GAP = 16
_LABEL_CHARACTERS = 38

# Below this many samples a 99th percentile is the slowest one by another name.
_ENOUGH_FOR_P99 = 100
# More dots than this only add ink. They are taken at even steps of the order, so the shape and both ends stay.
_MOST_DOTS = 120
# A log scale has no place for zero.
_SHORTEST_MS = 0.001


@dataclass(frozen=True, slots=True)
class LatencyChart:
    """
    The chart of one kind of invocation.
    """

    label: str
    explanation: str
    svg: str


@dataclass(frozen=True, slots=True)
class _Row:
    label: list[str]
    samples: list[float]

    @property
    def height(self) -> float:
        """
        The label's lines, the dots between two lines of figures, and the space to the next row.
        """
        return len(self.label) * _LINE + (_LINE + _STRIP + _LINE if self.samples else 0) + _GAP


def latency_charts(result: ExperimentResult) -> tuple[LatencyChart, ...]:
    """
    The charts of those kinds that have samples. Each has its own scale: cold starts take so much longer that on a
    common one the variants would not differ to the eye.
    """
    kinds = (
        (result.waits.cold, result.waits.cold_text, _rows(result, cold=True)),
        (result.waits.warm, result.waits.warm_text, _rows(result, cold=False)),
    )
    return tuple(
        LatencyChart(kind, explanation, _draw(kind, rows))
        for kind, explanation, rows in kinds
        if any(row.samples for row in rows)
    )


def _rows(result: ExperimentResult, *, cold: bool) -> list[_Row]:
    samples: dict[str, list[float]] = {variant: [] for variant in result.variants}
    for latencies in result.latencies:
        values = latencies.cold_ms if cold else latencies.warm_ms
        samples.setdefault(latencies.variant, []).extend(max(value, _SHORTEST_MS) for value in values)
    return [
        _Row(textwrap.wrap(variant_label(result, variant), _LABEL_CHARACTERS), sorted(values))
        for variant, values in samples.items()
    ]


def _draw(kind: str, rows: Sequence[_Row]) -> str:
    limits = _limits([sample for row in rows for sample in row.samples])
    with chart_style(kind):
        plot_height = sum(row.height for row in rows)
        height = plot_height + _BOTTOM
        figure = new_figure(height)
        axes = figure.add_axes(
            (_MARGIN / PANEL_WIDTH, _BOTTOM / height, 1 - 2 * _MARGIN / PANEL_WIDTH, plot_height / height),
            facecolor="none",
        )
        axes.set_xscale("log")
        axes.set_xlim(*limits)
        # In pixels from the top.
        axes.set_ylim(plot_height, 0)
        top = 0.0
        for row in rows:
            _draw_row(axes, row, top)
            top += row.height
        _scale(axes, limits)
        return to_svg(figure, f"{kind}: {'; '.join(_described(row) for row in rows)}.")


def _draw_row(axes: Axes, row: _Row, top: float) -> None:
    sideways = axes.get_yaxis_transform()
    for number, line in enumerate(row.label):
        axes.text(0, top + number * _LINE, line, transform=sideways, va="top", fontweight="bold")
    axes.text(1, top, _count(row), transform=sideways, va="top", ha="right", color=MUTED)
    if not row.samples:
        return
    above = top + len(row.label) * _LINE
    middle = above + _LINE + _STRIP / 2
    quarter, half, three_quarters = np.percentile(row.samples, (25, 50, 75))
    dots = _evenly(row.samples)
    # Golden-ratio steps spread the dots without chance, so that the same result draws the same page.
    spread = [middle + ((number * 0.618034) % 1 - 0.5) * (_STRIP - 6) for number in range(len(dots))]
    axes.plot(dots, spread, "o", markersize=3.4, color=ACCENT, alpha=0.5, markeredgewidth=0, zorder=3)
    axes.plot([quarter, three_quarters], [middle, middle], color=ACCENT, linewidth=5, solid_capstyle="butt", zorder=4)
    _mark(axes, half, middle, 2.6)
    _figure_label(axes, half, above, f"p50 {milliseconds(half)}", bold=True)
    name, slowest = _slowest(row)
    _mark(axes, slowest, middle, 1.4)
    _figure_label(axes, slowest, above + _LINE + _STRIP, f"{name} {milliseconds(slowest)}", bold=False)


def _mark(axes: Axes, value: float, middle: float, width: float) -> None:
    ends = [middle - _STRIP / 2, middle + _STRIP / 2]
    axes.plot([value, value], ends, color=INK, linewidth=width, solid_capstyle="butt", zorder=5)


def _figure_label(axes: Axes, value: float, top: float, text: str, *, bold: bool) -> None:
    low, high = axes.get_xlim()
    place = math.log(value / low) / math.log(high / low)
    side = "left" if place < 0.15 else "right" if place > 0.85 else "center"
    axes.text(value, top + 1, text, va="top", ha=side, fontweight="bold" if bold else "normal")


def _scale(axes: Axes, limits: tuple[float, float]) -> None:
    axes.xaxis.set_major_locator(FixedLocator(_ticks(*limits)))
    axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.set_xlabel("milliseconds until the answer (log scale)")
    axes.set_yticks([])
    axes.grid(axis="x", linewidth=1, zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", length=4, color=GRID)
    axes.spines[["left", "right", "top"]].set_visible(False)


def _limits(samples: Sequence[float]) -> tuple[float, float]:
    """
    The numbers 1, 2 or 5 times a power of ten around the samples.
    """
    steps = [digit * 10.0**power for power in range(-4, 9) for digit in (1, 2, 5)]
    return max(step for step in steps if step < min(samples)), min(step for step in steps if step > max(samples))


def _ticks(low: float, high: float) -> list[float]:
    # On a short scale there is room for the steps between the powers of ten.
    digits = (1, 2, 5) if high / low <= 100 else (1, 3) if high / low <= 1000 else (1,)
    steps = (digit * 10.0**power for power in range(-4, 9) for digit in digits)
    return [step for step in steps if low <= step <= high]


def _evenly(ordered: Sequence[float]) -> list[float]:
    if len(ordered) <= _MOST_DOTS:
        return list(ordered)
    return [ordered[round(number * (len(ordered) - 1) / (_MOST_DOTS - 1))] for number in range(_MOST_DOTS)]


def _slowest(row: _Row) -> tuple[str, float]:
    if len(row.samples) < _ENOUGH_FOR_P99:
        return "slowest", row.samples[-1]
    return "p99", float(np.percentile(row.samples, 99))


def _count(row: _Row) -> str:
    number = len(row.samples)
    return "1 sample" if number == 1 else f"{number:,} samples" if number else "no samples"


def _described(row: _Row) -> str:
    counted = f"{' '.join(row.label)}, {_count(row)}"
    if not row.samples:
        return counted
    name, slowest = _slowest(row)
    return f"{counted}, p50 {milliseconds(float(np.median(row.samples)))}, {name} {milliseconds(slowest)}"
