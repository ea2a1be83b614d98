"""
When invocations arrive: pure patterns, each a sequence of seconds since the load's start.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, pairwise

# A day's curve as so many straight pieces: one for each quarter of an hour.
_PIECES = 96


@dataclass(frozen=True, slots=True)
class Rates:
    """
    A rate that changes over time, its arrivals evenly spaced.

    ``points`` are moments and what the rate is then, in seconds and per second, in order; straight lines lie between.
    """

    points: tuple[tuple[float, float], ...]

    @property
    def seconds(self) -> float:
        """
        How long it lasts.
        """
        return self.points[-1][0]

    def arrivals(self) -> Iterator[float]:
        """
        The moments at which the area below the curve passes 0, 1, 2…
        """
        number = count()
        due = next(number)
        before = 0.0
        for (start, low), (end, high) in pairwise(self.points):
            area = (end - start) * (low + high) / 2
            # The end of one piece is the next one's beginning, but for rounding.
            while due < before + area - 1e-9:
                yield start + _reached(due - before, low, (high - low) / (end - start))
                due = next(number)
            before += area


def _reached(area: float, rate: float, slope: float) -> float:
    """
    How long a straight line that begins at this rate takes to have so much area below it.
    """
    root = rate + math.sqrt(max(0.0, rate * rate + 2 * slope * area))
    return 2 * max(area, 0.0) / root if root else 0.0


def constant(rate: float, seconds: float) -> Rates:
    """
    So many a second, evenly spaced.
    """
    return Rates(((0.0, rate), (seconds, rate)))


def ramp(first: float, last: float, seconds: float) -> Rates:
    """
    A rate that rises, or falls, in a straight line.
    """
    return Rates(((0.0, first), (seconds, last)))


def spike(usual: float, highest: float, seconds: float) -> Rates:
    """
    The usual rate, and in the middle third the highest one.
    """
    up, down = seconds / 3, 2 * seconds / 3
    return Rates(((0.0, usual), (up, usual), (up, highest), (down, highest), (down, usual), (seconds, usual)))


def diurnal(lowest: float, highest: float, seconds: float) -> Rates:
    """
    A day in so many seconds: from its lowest rate at night to the highest at noon and back, as a cosine does it.
    """
    shares = [piece / _PIECES for piece in range(_PIECES + 1)]
    return Rates(
        tuple(
            (share * seconds, lowest + (highest - lowest) * (1 - math.cos(2 * math.pi * share)) / 2) for share in shares
        )
    )


@dataclass(frozen=True, slots=True)
class Burst:
    """
    So many at once.
    """

    number: int

    @property
    def seconds(self) -> float:
        """
        It takes no time.
        """
        return 0.0

    def arrivals(self) -> Iterator[float]:
        """
        All at the start.
        """
        return iter([0.0] * self.number)


@dataclass(frozen=True, slots=True)
class Poisson:
    """
    So many a second on average, each independent of all others; the same seed gives the same arrivals.
    """

    rate: float
    seconds: float
    seed: int = 0

    def arrivals(self) -> Iterator[float]:
        """
        Moments whose distances are exponentially distributed.
        """
        distances = random.Random(self.seed)  # noqa: S311  load is no secret
        moment = distances.expovariate(self.rate)
        while moment < self.seconds:
            yield moment
            moment += distances.expovariate(self.rate)
