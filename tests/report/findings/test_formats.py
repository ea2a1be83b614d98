from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from warmline.check.location import Location
from warmline.check.rules import RULES
from warmline.report.findings.annotations import findings_to_annotations
from warmline.report.findings.document import findings_to_json
from warmline.report.findings.excerpt import Excerpts
from warmline.report.findings.sarif import findings_to_sarif
from warmline.report.findings.text import print_problems, print_text

from .made_up import APP, NOTHING, REPORT

SNAPSHOTS = Path(__file__).parent / "snapshots"

# SchemaStore's copy of the OASIS schema, as npm's @microsoft/jest-sarif 1.0.0-beta.0 (MIT) has it.
SCHEMA = json.loads((Path(__file__).parent / "sarif-2.1.0-rtm.5.json").read_text())


def text(report: Any = REPORT, *, terminal: bool = False) -> str:
    class File(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    file = File()
    print_text(report, file)
    return file.getvalue()


def results() -> str:
    # Without the rules, which a new one changes.
    (run,) = json.loads(findings_to_sarif(REPORT))["runs"]
    for result in run["results"]:
        del result["ruleIndex"]
    return json.dumps({"invocations": run["invocations"], "results": run["results"]}, indent=2, ensure_ascii=False)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("text.txt", text),
        ("document.json", lambda: findings_to_json(REPORT)),
        ("results.sarif", results),
        ("annotations.txt", lambda: findings_to_annotations(REPORT)),
    ],
)
def test_a_report_is_written_as_it_was(name: str, write: Any) -> None:
    """
    To accept a change: remove the snapshot, run this, and look at what it has written.
    """
    snapshot = SNAPSHOTS / name
    written = write().rstrip("\n") + "\n"
    if not snapshot.exists():
        snapshot.write_text(written)
        pytest.fail(f"there was no snapshot {name}; it is written now")
    assert written == snapshot.read_text()


@pytest.mark.parametrize("report", [REPORT, NOTHING])
def test_sarif_fits_its_schema(report: Any) -> None:
    log = json.loads(findings_to_sarif(report))
    jsonschema.Draft4Validator(SCHEMA).validate(log)
    assert log["version"] == "2.1.0"


def test_sarif_has_every_rule_with_its_explanation_and_results_point_at_theirs() -> None:
    (run,) = json.loads(findings_to_sarif(REPORT))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [*(rule.id for rule in RULES), "WL001"]
    assert all(rule["help"]["text"] and rule["fullDescription"]["text"] for rule in rules)
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_a_fingerprint_stays_when_lines_are_added_above_and_differs_between_findings() -> None:
    (run,) = json.loads(findings_to_sarif(REPORT))["runs"]
    prints = [result["partialFingerprints"]["warmline/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize(
    "write", [text, lambda: findings_to_json(REPORT), lambda: findings_to_sarif(REPORT)], ids=["text", "json", "sarif"]
)
def test_a_secret_in_the_line_is_not_shown(write: Any) -> None:
    assert "h4rdToGuess" in APP
    assert "h4rdToGuess" not in write()


def test_a_terminal_has_colours_and_another_file_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" in text(terminal=True)
    assert "\x1b[" not in text()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in text(terminal=True)


def test_files_that_were_not_checked_are_named_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    print_problems(REPORT)
    assert capsys.readouterr() == ("", "warmline: old,1.js: larger than 1 MB: 3.0 MB\n")


def test_nothing_found_is_said_in_one_line() -> None:
    assert text(NOTHING) == "No findings in 3 files.\n"


def test_of_a_long_line_the_part_around_the_place_is_shown() -> None:
    excerpts = Excerpts({"a.js": b"x" * 500 + b"here" + b"y" * 500})
    marked = excerpts.marked(Location("a.js", 1, 501, 1, 505))
    assert marked is not None
    line, mark = marked
    assert len(line) == 160
    assert line[mark.index("^") : mark.rindex("^") + 1] == "here"


def test_what_would_move_a_terminals_cursor_is_replaced() -> None:
    excerpts = Excerpts({"a.js": b"a\x1b[2Jb\r\n"})
    assert excerpts.line(Location("a.js", 1)) == "a\ufffd[2Jb"


def test_a_line_that_is_not_there_has_no_excerpt() -> None:
    assert Excerpts({}).marked(Location("a.js", 7)) is None
