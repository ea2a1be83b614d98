"""
Findings as JSON: one document, whose keys stay.
"""

from __future__ import annotations

import json
from typing import Any

from warmline.check.finding import Finding
from warmline.check.location import Location
from warmline.check.run import Report


def to_json(report: Report) -> str:
    """
    Write a report: ``findings``, ``suppressed``, ``problems``, ``files`` (how many were checked).
    """
    document = {
        "findings": [_finding(finding) for finding in report.findings],
        "suppressed": [_finding(each.finding) | {"reason": each.reason} for each in report.suppressed],
        "problems": [{"path": problem.path, "reason": problem.reason} for problem in report.problems],
        "files": len(report.files),
    }
    return json.dumps(document, indent=2)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "practice": finding.practice,
        "severity": finding.severity.name.lower(),
        "confidence": finding.confidence.name.lower(),
        **_location(finding.location),
        "message": finding.message,
        "remedy": finding.remedy,
        "call_path": [{"text": step.text, **_location(step.location)} for step in finding.path],
        "fix": finding.fix.title if finding.fix is not None else None,
    }


def _location(location: Location) -> dict[str, Any]:
    return {
        "path": location.path,
        "line": location.line,
        "column": location.column,
        "end_line": location.end_line,
        "end_column": location.end_column,
    }
