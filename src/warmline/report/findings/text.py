"""
Findings for people: where, what, the line itself, the way there, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from warmline.check.finding import Finding, Severity
from warmline.check.masking import masked
from warmline.check.run import Report

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}

# A longer line is cut around what is found in it.
_MOST_COLUMNS = 110


@dataclass(frozen=True, slots=True)
class _Style:
    colour: bool

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


def to_text(report: Report, *, colour: bool = False) -> str:
    """
    Write a report; ``colour`` is for a terminal.
    """
    style = _Style(colour)
    blocks = ["\n".join(_finding(finding, report, style)) for finding in report.findings]
    blocks.extend(f"{problem.path}: not checked: {problem.reason}" for problem in report.problems)
    blocks.extend(
        f"{ignore.location}: nothing to ignore here for {', '.join(ignore.rules)}: remove the comment"
        for ignore in report.unused
    )
    return "\n\n".join([*blocks, _summary(report)])


def _finding(finding: Finding, report: Report, style: _Style) -> Iterator[str]:
    severity = style.paint(finding.severity.name.lower(), _COLOURS[finding.severity])
    where, rule = style.paint(str(finding.location), "1"), style.paint(finding.rule, "1")
    sure = "" if finding.confidence.name == "HIGH" else f" ({finding.confidence.name.lower()} confidence)"
    yield f"{where}: {severity}{sure} {rule} {finding.message}"
    yield from _excerpt(finding, report, style)
    if len(finding.path) > 1:
        steps = [f"{step.text} ({_near(step.location.path, finding)}{step.location.line})" for step in finding.path]
        yield f"  by way of: {' > '.join(steps)}"
    fixable = " (--fix does it)" if finding.fix is not None else ""
    yield f"  {style.paint('help', '32')}: {finding.remedy}{fixable}"


def _excerpt(finding: Finding, report: Report, style: _Style) -> Iterator[str]:
    at = finding.location
    lines = report.files.get(at.path, b"").decode("utf-8", "replace").splitlines()
    if not 0 < at.line <= len(lines):
        return
    line = lines[at.line - 1]
    end = at.end_column if at.end_line == at.line else len(line.rstrip()) + 1
    marks = " " * (at.column - 1) + "^" * max(end - at.column, 1)
    shown = masked(line)
    if shown != line:
        # What is masked has another length: the marks would point at something else.
        marks = ""
    first = max(0, at.column - 1 - _MOST_COLUMNS // 2) if len(line) > _MOST_COLUMNS else 0
    gutter = f"{at.line} | "
    yield f"  {gutter}{shown[first : first + _MOST_COLUMNS].expandtabs(1).rstrip()}"
    if marks:
        visible = marks[first : first + _MOST_COLUMNS]
        yield f"  {' ' * (len(gutter) - 2)}| {style.paint(visible, _COLOURS[finding.severity])}"


def _near(path: str, finding: Finding) -> str:
    return "line " if path == finding.location.path else f"{path}:"


def _summary(report: Report) -> str:
    counts = [
        f"{number} {level.name.lower()}{'s' * (number > 1)}"
        for level in sorted(Severity, reverse=True)
        if (number := sum(finding.severity is level for finding in report.findings))
    ]
    found = ", ".join(counts) if counts else "nothing found"
    known = f", {len(report.suppressed)} ignored by comments" if report.suppressed else ""
    not_checked = len({problem.path for problem in report.problems})
    unread = f", {not_checked} not checked" if not_checked else ""
    files = len(report.files.keys() - {problem.path for problem in report.problems})
    return f"{found} in {files:,} file{'s' * (files != 1)}{known}{unread}"
