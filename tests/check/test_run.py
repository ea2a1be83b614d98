from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from warmline.check import run
from warmline.check.config import Config
from warmline.check.files import Problem
from warmline.check.finding import Confidence, Severity
from warmline.check.read import read_project
from warmline.check.run import check

BAD = b"""
from pymongo import MongoClient

def lambda_handler(event, context):
    client = MongoClient("mongodb://db.example.com/?maxIdleTimeMS=60000")
"""


def lines(files: Mapping[str, bytes], config: Config | None = None) -> list[tuple[str, int, str]]:
    found = check(files, config or Config(select=("WL101",))).findings
    return [(finding.location.path, finding.location.line, finding.rule) for finding in found]


def test_findings_come_in_the_order_of_paths_and_lines() -> None:
    assert lines({"b.py": BAD + BAD, "a.py": BAD}) == [
        ("a.py", 5, "WL101"),
        ("b.py", 5, "WL101"),
        ("b.py", 10, "WL101"),
    ]


def test_a_file_that_is_no_utf_8_is_named_and_the_others_are_checked() -> None:
    report = check({"bad.py": BAD + b"# caf\xe9", "good.py": BAD, "wide.py": BAD.decode().encode("utf-16")}, Config())
    assert {finding.location.path for finding in report.findings} == {"good.py"}
    assert report.problems == (
        Problem("bad.py", "not UTF-8: byte 0xe9 in line 6"),
        Problem("wide.py", "UTF-16: save it as UTF-8"),
    )
    assert report.files == 1


def test_the_mark_before_utf_8_does_not_hide_a_finding() -> None:
    assert lines({"app.py": b"\xef\xbb\xbf" + BAD}) == [("app.py", 5, "WL101")]


def test_a_fault_in_one_file_is_named_with_that_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(files: Mapping[str, bytes], *, each: object) -> object:
        def read(path: str, data: bytes) -> None:
            if path == "deep.py":
                raise RecursionError
            raise ValueError("no such node")

        each(read, {"deep.py": b"", "odd.py": b""})  # type: ignore[operator]
        return read_project({})

    monkeypatch.setattr(run, "read_project", broken)
    assert check({}, Config()).problems == (
        Problem("deep.py", "nested too deeply"),
        Problem("odd.py", "a fault of warmline's, please report it: ValueError: no such node"),
    )


# In an interpreter of its own: what readers are elsewhere depends on how many threads there are here.
HANGS_OR_DIES = """
import json, os, signal, time
from warmline.check import guard
from warmline.check.processes import in_processes

guard._FILE_SECONDS = 1

def read(path, data):
    while path == "hangs.py":
        time.sleep(0.01)
    if path == "dies.py":
        os.kill(os.getpid(), signal.SIGKILL)
    return path

if __name__ == "__main__":
    files = {f"{name}.py": b"" for name in ("a", "hangs", "b", "dies", "c")}
    print(json.dumps({path: (facts, reason) for path, facts, reason in in_processes(read, files)}))
"""


def test_a_file_that_hangs_or_kills_its_process_does_not_keep_the_others(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(HANGS_OR_DIES)
    output = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True).stdout
    assert json.loads(output) == {
        "a.py": ["a.py", None],
        "b.py": ["b.py", None],
        "c.py": ["c.py", None],
        "hangs.py": [None, "given up after 1 s"],
        "dies.py": [None, "the process that parsed it has crashed"],
    }


def test_other_processes_find_the_same_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"service{number}/app.py": BAD for number in range(20)}
    here = check(files, Config())
    monkeypatch.setattr(run, "_WORTH_PROCESSES", 0)
    assert check(files, Config()).findings == here.findings != ()


def test_severity_and_confidence_that_are_asked_for_count() -> None:
    assert lines({"a.py": BAD}, Config(select=("WL101",), min_severity=Severity.ERROR)) == [("a.py", 5, "WL101")]
    lowered = Config(select=("WL101",), severity={"WL101": Severity.INFO}, min_severity=Severity.WARNING)
    assert lines({"a.py": BAD}, lowered) == []
    assert lines({"a.py": BAD}, Config(select=("WL101",), min_confidence=Confidence.HIGH)) == [("a.py", 5, "WL101")]


def test_progress_tells_how_many_of_how_many() -> None:
    told: list[tuple[int, int]] = []
    check({"a.py": BAD, "b.py": BAD}, Config(), progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
