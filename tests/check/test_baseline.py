from __future__ import annotations

from pathlib import Path

import pytest

from warmline.check.baseline import BaselineError, counts, read_baseline, shrunk, stale, without, write_baseline
from warmline.check.finding import Confidence, Finding, Severity
from warmline.check.location import Location


def finding(path: str, line: int, rule: str = "WL101") -> Finding:
    return Finding(
        rule=rule,
        practice="reuse-client",
        severity=Severity.ERROR,
        confidence=Confidence.HIGH,
        location=Location(path, line),
        message="",
        remedy="",
    )


OLD = (finding("a.py", 3), finding("a.py", 9), finding("b.py", 1))


def test_it_is_read_as_it_was_written_and_the_same_findings_make_the_same_bytes(tmp_path: Path) -> None:
    write_baseline(tmp_path / "one", counts(OLD))
    write_baseline(tmp_path / "two", counts(reversed(OLD)))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert read_baseline(tmp_path / "one") == {"a.py": {"WL101": 2}, "b.py": {"WL101": 1}}


def test_lines_that_move_are_no_new_findings() -> None:
    moved = (finding("a.py", 30), finding("a.py", 90), finding("b.py", 10))
    new, old = without(moved, counts(OLD))
    assert new == ()
    assert [each.by for each in old] == ["baseline"] * 3


def test_where_there_is_one_more_all_of_that_rule_and_file_are_shown() -> None:
    now = (*OLD, finding("b.py", 7))
    new, _ = without(now, counts(OLD))
    assert [(each.location.path, each.location.line) for each in new] == [("b.py", 1), ("b.py", 7)]


def test_it_shrinks_by_what_was_mended_and_tells_it() -> None:
    small = shrunk(OLD[:1], counts(OLD), {"a.py", "b.py"})
    assert small == {"a.py": {"WL101": 1}}
    assert stale(counts(OLD), small) == (
        "a.py: the baseline has 2 of WL101, and there is 1",
        "b.py: the baseline has 1 of WL101, and there are 0",
    )


def test_of_files_that_were_not_checked_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.py").touch()
    assert shrunk(OLD[:2], counts(OLD), {"a.py"}) == counts(OLD)
    (tmp_path / "b.py").unlink()
    assert shrunk(OLD[:2], counts(OLD), {"a.py"}) == {"a.py": {"WL101": 2}}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1, "files": 3}'])
def test_a_file_that_is_no_baseline_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(BaselineError, match="it is no baseline; write one with --write-baseline"):
        read_baseline(tmp_path / "file")
