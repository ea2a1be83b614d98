"""
Findings as GitHub's workflow commands, which become annotations of the changed lines.

Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.check.finding import Severity
from warmline.check.run import Report

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def to_github(report: Report) -> str:
    """
    Write a line for each finding and each file that could not be checked.
    """
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    for finding in report.findings:
        at = finding.location
        place = f"file={_property(at.path)},line={at.line},col={at.column},endLine={at.end_line}"
        command, title = _COMMANDS[finding.severity], _property(f"{finding.rule} ({finding.practice})")
        yield f"::{command} {place},title={title}::{_text(f'{finding.message}; {finding.remedy}')}"
    for problem in report.problems:
        yield f"::warning file={_property(problem.path)},title=not checked::{_text(problem.reason)}"


def _text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _text(text).replace(":", "%3A").replace(",", "%2C")
