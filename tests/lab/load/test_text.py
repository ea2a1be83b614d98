from __future__ import annotations

from pathlib import Path

import pytest

from warmline.lab.errors import UnusableLoad
from warmline.lab.load import Burst, Callers, Poisson, constant, diurnal, parse_load, ramp, spike
from warmline.lab.load.text import Pattern


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("constant:20/s for 30s", constant(20, 30)),
        ("constant:90/min for 2min", constant(1.5, 120)),
        ("ramp:0..50/s for 60s", ramp(0, 50, 60)),
        ("burst:200", Burst(200)),
        ("spike:5..100/s for 60s", spike(5, 100, 60)),
        ("diurnal:2..40/s for 0.5h", diurnal(2, 40, 1800)),
        ("poisson:20/s for 30s", Poisson(20, 30)),
        ("poisson:20/s for 30s seed 7", Poisson(20, 30, 7)),
        ("callers:20 for 500ms", Callers(20, 0.5)),
    ],
)
def test_load_is_read_as_it_is_written(text: str, pattern: Pattern) -> None:
    load = parse_load(text)
    assert (load.pattern, load.begins, load.text) == (pattern, 0.0, text)


def test_a_load_may_begin_later() -> None:
    load = parse_load("poisson:20/s for 30s seed 7 at 1.5s")
    assert (load.begins, load.seconds, load.pattern) == (1.5, 31.5, Poisson(20, 30, 7))


def test_a_recordings_path_is_relative_to_the_folder_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "arrivals.csv").write_text("0\n2\n")
    assert parse_load("csv:arrivals.csv", tmp_path).seconds == 2.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("constnat:20/s for 30s", "there is no pattern 'constnat'.*did you mean constant?"),
        ("20/s", "there is no pattern '20/s'.*constant:20/s for 30s"),
        ("constant:20", "write constant:20/s for 30s"),
        ("constant:20/s", "write constant:20/s for 30s"),
        ("constant:20/s for 30", "write constant:20/s for 30s"),
        ("constant:0/s for 30s", "a rate of 0 is no load"),
        ("constant:-1/s for 30s", "write constant:20/s for 30s"),
        ("constant:20/s for 0s", "it lasts for no time"),
        ("constant:20000/s for 1s", "20,000 a second are more than the 10,000"),
        ("ramp:0..0/s for 3s", "a rate of 0 is no load"),
        ("ramp:50/s for 3s", r"write ramp:0\.\.50/s for 60s"),
        ("burst:0", "1 to 10,000 at once, not 0"),
        ("burst:20000", "1 to 10,000 at once, not 20,000"),
        ("burst", "write burst:200"),
        ("csv:nowhere.csv", "can't read the arrivals in nowhere.csv: No such file"),
    ],
)
def test_what_is_no_load_is_one_line_that_says_how_to_write_it(text: str, says: str) -> None:
    with pytest.raises(UnusableLoad, match=says) as caught:
        parse_load(text)
    assert "\n" not in str(caught.value)
