"""
A series of counts as few points: those where a step line turns.
"""

from __future__ import annotations

from collections.abc import Sequence

# Finer than a panel shows.
_MOST_SLOTS = 300


def step_points(seconds: Sequence[float], counts: Sequence[int]) -> tuple[list[float], list[int]]:
    """
    The points that a step line through the series needs: repeats are left out, each peak and trough stays.
    """
    points = _turns(list(zip(seconds, counts, strict=True)))
    if len(points) > 2 * _MOST_SLOTS:
        points = _turns(_extremes(points))
    return [second for second, _ in points], [count for _, count in points]


def _turns(points: list[tuple[float, int]]) -> list[tuple[float, int]]:
    kept = [point for position, point in enumerate(points) if position == 0 or point[1] != points[position - 1][1]]
    # The line goes on to the end of what was measured.
    return kept if not points or kept[-1] == points[-1] else [*kept, points[-1]]


def _extremes(points: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """
    The lowest and the highest point of each slot of time.
    """
    start, end = points[0][0], points[-1][0]
    slots: dict[int, list[tuple[float, int]]] = {}
    for point in points:
        slots.setdefault(int((point[0] - start) / (end - start) * _MOST_SLOTS), []).append(point)
    extremes = []
    for slot in slots.values():
        lowest, highest = min(slot, key=_count), max(slot, key=_count)
        extremes += sorted({lowest, highest})
    # The last slot is the last point alone.
    return extremes


def _count(point: tuple[float, int]) -> int:
    return point[1]
