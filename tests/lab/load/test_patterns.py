from __future__ import annotations

from itertools import pairwise

import pytest

from warmline.lab.load import Burst, Poisson, Rates, constant, diurnal, ramp, spike


def test_a_constant_rate_is_evenly_spaced_from_the_start() -> None:
    arrivals = list(constant(20, 30).arrivals())
    assert len(arrivals) == 600
    assert arrivals == pytest.approx([number / 20 for number in range(600)])


def test_a_ramp_gives_as_many_as_the_area_below_it() -> None:
    arrivals = list(ramp(0, 50, 60).arrivals())
    assert len(arrivals) == 1500
    # A quarter of them in the first half of the time, three quarters in the second.
    assert sum(moment < 30 for moment in arrivals) == 375


def test_a_falling_ramp_ends_at_rest() -> None:
    arrivals = list(ramp(10, 0, 10).arrivals())
    assert len(arrivals) == 50
    gaps = [later - earlier for earlier, later in pairwise(arrivals)]
    assert gaps == sorted(gaps)


def test_a_spike_is_in_the_middle_third() -> None:
    arrivals = list(spike(5, 100, 60).arrivals())
    assert sum(moment < 20 for moment in arrivals) == 100
    assert sum(20 <= moment < 40 for moment in arrivals) == 2000
    assert sum(moment >= 40 for moment in arrivals) == 100


def test_a_day_is_quiet_at_both_ends_and_busiest_at_noon() -> None:
    arrivals = list(diurnal(2, 40, 96).arrivals())
    hours = [sum(start <= moment < start + 4 for moment in arrivals) for start in range(0, 96, 4)]
    assert hours.index(max(hours)) in {11, 12}
    assert hours[0] < max(hours) / 10
    # Night and noon have the same share, so that the mean lies between their rates.
    assert len(arrivals) == pytest.approx(96 * (2 + 40) / 2, abs=1)


def test_a_burst_comes_at_once() -> None:
    assert list(Burst(3).arrivals()) == [0.0, 0.0, 0.0]


def test_the_same_seed_gives_the_same_arrivals() -> None:
    arrivals = list(Poisson(20, 30, seed=7).arrivals())
    assert arrivals == list(Poisson(20, 30, seed=7).arrivals())
    assert arrivals != list(Poisson(20, 30, seed=8).arrivals())
    # Five standard deviations of the number.
    assert abs(len(arrivals) - 600) < 5 * 600**0.5


@pytest.mark.parametrize(
    "pattern", [constant(0.3, 10), ramp(3, 0, 7), spike(0, 9, 5), diurnal(0, 7, 11), Poisson(5, 9)], ids=repr
)
def test_arrivals_are_in_order_and_within_their_time(pattern: Rates | Poisson) -> None:
    arrivals = list(pattern.arrivals())
    assert arrivals == sorted(arrivals)
    assert arrivals[0] >= 0
    assert arrivals[-1] < pattern.seconds
