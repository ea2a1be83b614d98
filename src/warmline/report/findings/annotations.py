"""
Findings as GitHub's workflow commands, which it shows beside the lines of a pull request.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from warmline.check.finding import Finding, Severity
from warmline.check.run import Report

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def findings_to_annotations(report: Report) -> str:
    """
    Return one line for each finding, and for each file that could not be checked.
    """
    lines = [_annotation(finding) for finding in report.findings]
    lines += [
        f"::warning file={_property(problem.path)},title=warmline::{_data(f'not checked: {problem.reason}')}"
        for problem in report.problems
    ]
    return "\n".join(lines)


def _annotation(finding: Finding) -> str:
    location = finding.location
    properties = {
        "file": location.path,
        "line": location.line,
        "endLine": location.end_line,
        "title": f"warmline {finding.rule}",
    }
    if location.line == location.end_line:
        # GitHub shows columns within one line only.
        properties |= {"col": location.column, "endColumn": location.end_column}
    written = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {written}::{_data(f'{finding.message}. {finding.remedy}.')}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
