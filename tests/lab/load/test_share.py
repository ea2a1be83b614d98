from __future__ import annotations

from pathlib import Path

import pytest

from warmline.lab.load import Callers, Recording, parse_load, share


@pytest.mark.parametrize(
    "text", ["constant:7/s for 3s at 1s", "burst:5", "poisson:9/s for 2s seed 3", "ramp:0..9/s for 4s"]
)
def test_the_shares_of_all_drivers_together_are_the_load(text: str) -> None:
    load = parse_load(text)
    parts = [part for number in range(3) if (part := share(load, number, 3))]
    assert all(part.begins == load.begins for part in parts)
    moments = [moment for part in parts if not isinstance(part.pattern, Callers) for moment in part.pattern.arrivals()]
    assert not isinstance(load.pattern, Callers)
    assert sorted(moments) == list(load.pattern.arrivals())


def test_callers_are_shared_out() -> None:
    load = parse_load("callers:5 for 2s")
    assert [share(load, number, 4) for number in range(4)] == [
        parse_load("callers:5 for 2s").__class__(load.text, Callers(callers, 2.0)) for callers in (2, 1, 1, 1)
    ]


def test_payloads_stay_with_their_arrivals(tmp_path: Path) -> None:
    (tmp_path / "arrivals.csv").write_text("0,1\n1,2\n2,3\n")
    part = share(parse_load("csv:arrivals.csv", tmp_path), 1, 2)
    assert part is not None
    assert part.pattern == Recording((1.0,), (b"2",))


def test_a_driver_without_a_share_has_nothing_to_do() -> None:
    assert share(parse_load("burst:1"), 1, 2) is None
    assert share(parse_load("callers:1 for 1s"), 1, 2) is None
