"""
The moments that a time axis marks: a thin line each, with a label above the chart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .svg import GRID, MUTED, PANEL_WIDTH, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...lab.experiments.result import Event, ExperimentResult

# Beside it stand the numbers of the other axis.
PLOT_WIDTH = PANEL_WIDTH - 58

_SIZE = 10
_LANE_HEIGHT = 13
# Between a line and its label, and between a label and the next line.
_GAP = 4
# A label may take this share of the axis, so that there is a chart left to see.
_WIDEST = 0.6


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """
    An axis from 0 to ``end`` seconds, ``width`` pixels wide.
    """

    end: float
    width: float

    def position(self, seconds: float) -> float:
        """
        Where a moment is, in pixels from the left.
        """
        return seconds / self.end * self.width


def time_axis(last_sample: float, phases: Sequence[Event], width: float = PLOT_WIDTH) -> TimeAxis:
    """
    An axis for all samples that leaves room for the label of an event near its end.
    """
    end = last_sample
    for event in phases:
        share = min(_label_width(event) / width, _WIDEST)
        end = max(end, event.seconds / (1 - share))
    return TimeAxis(end or 1.0, width)


def lanes(events: Sequence[Event], axis: TimeAxis) -> list[int]:
    """
    How high each event's label goes, so that no label meets another one or the line below another one.

    A label that would reach the next event's line goes above that one's label: its own line is left of both.
    """
    result: list[int] = []
    for number in reversed(range(len(events))):
        right = axis.position(events[number].seconds) + _label_width(events[number])
        reached = [
            lane
            for later, lane in zip(events[number + 1 :], result, strict=True)
            if axis.position(later.seconds) < right
        ]
        result.insert(0, max(reached) + 1 if reached else 0)
    return result


def lanes_height(number: int) -> float:
    """
    The pixels above the axes that so many lanes take.
    """
    return number * _LANE_HEIGHT + _GAP if number else 0


def events_of(result: ExperimentResult, variant: str) -> list[Event]:
    """
    A variant's events in their order.
    """
    return sorted(result.events.get(variant, ()), key=lambda event: event.seconds)


def draw_phases(
    axes: Axes, events: Sequence[Event], axis: TimeAxis, plot_height: float, *, labels: bool = True
) -> None:
    """
    Draw the lines, from the axis up to the top of their labels, and the labels.
    """
    for event, lane in zip(events, lanes(events, axis), strict=True):
        bottom = lane * _LANE_HEIGHT + 2
        axes.plot(
            [event.seconds, event.seconds],
            [0, 1 + (bottom + _SIZE) / plot_height if labels else 1],
            transform=axes.get_xaxis_transform(),
            color=GRID,
            linewidth=1,
            clip_on=False,
            # Above what is filled; a line of connections is above it.
            zorder=2.5,
        )
        if not labels:
            continue
        axes.annotate(
            event.label,
            xy=(event.seconds, 1),
            xycoords=axes.get_xaxis_transform(),
            xytext=(_GAP, bottom),
            textcoords="offset points",
            color=MUTED,
            fontsize=_SIZE,
            annotation_clip=False,
        )


def _label_width(event: Event) -> float:
    return text_width(event.label, _SIZE) + 2 * _GAP
