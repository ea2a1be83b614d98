from __future__ import annotations

from pathlib import Path

import pytest

from warmline.lab.errors import UnusableLoad
from warmline.lab.load import Recording, read_recording


@pytest.mark.parametrize(
    ("text", "recording"),
    [
        ("0\n1.5\n3\n", Recording((0.0, 1.5, 3.0))),
        ("seconds\n12\n10\n", Recording((0.0, 2.0))),
        ("﻿time,path\n1,/a\n2,/b\n", Recording((0.0, 1.0))),
        ("2026-01-05T12:00:00Z\n2026-01-05T13:00:00.5+01:00\n", Recording((0.0, 0.5))),
        ('1,"{""id"": 1}"\n2,7\n', Recording((0.0, 1.0), (b'{"id": 1}', b"7"))),
        ('payload,timestamp\n"{}",2026-01-05T12:00:00\n', Recording((0.0,), (b"{}",))),
    ],
)
def test_times_are_seconds_or_iso_8601_and_the_first_comes_at_once(
    tmp_path: Path, text: str, recording: Recording
) -> None:
    (tmp_path / "arrivals.csv").write_text(text)
    assert read_recording(tmp_path / "arrivals.csv") == recording


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no arrivals in it"),
        ("seconds\n", "has no arrivals in it"),
        ("when\n1\n", "no column of times but when: name one of them seconds, timestamp, time"),
        ("1\nsoon\n", "line 2: 'soon' is no time; write seconds or ISO 8601"),
        ("1\nnan\n", "line 2: 'nan' is no time"),
        ("path,seconds\n/a,1\n/b\n", "line 3: '' is no time"),
        ("1,{\n", "line 1: the payload is no JSON"),
        ("1,{}\n2\n", "a payload in 1 of 2 lines"),
        ("\xff\n", "can't read the arrivals"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "arrivals.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(UnusableLoad, match=says) as caught:
        read_recording(tmp_path / "arrivals.csv")
    assert "\n" not in str(caught.value)
