"""
Findings as JSON, one document for programs.
"""

from __future__ import annotations

import json
from typing import Any

import warmline
from warmline.check.finding import Finding, Step
from warmline.check.location import Location
from warmline.check.run import Report

from .excerpt import Excerpts

# Raised when a field changes its meaning or goes; new fields do not raise it.
VERSION = 1


def findings_to_json(report: Report) -> str:
    """
    Return the report as a JSON document.
    """
    excerpts = Excerpts(report.contents, report.secrets)
    document = {
        "version": VERSION,
        "warmline": warmline.__version__,
        "files": report.files,
        "findings": [_finding(finding, excerpts) for finding in report.findings],
        "suppressed": [
            {**_finding(each.finding, excerpts), "reason": each.reason, "by": each.by} for each in report.suppressed
        ],
        "problems": [{"path": problem.path, "reason": problem.reason} for problem in report.problems],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _finding(finding: Finding, excerpts: Excerpts) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "practice": finding.practice,
        "severity": finding.severity.name.lower(),
        "confidence": finding.confidence.name.lower(),
        **_location(finding.location),
        "message": finding.message,
        "remedy": finding.remedy,
        "source": excerpts.line(finding.location),
        "way": [_step(step) for step in finding.path],
        "fix": None if finding.fix is None else finding.fix.title,
    }


def _step(step: Step) -> dict[str, Any]:
    return {"text": step.text, **_location(step.location)}


def _location(location: Location) -> dict[str, Any]:
    return {
        "path": location.path,
        "line": location.line,
        "column": location.column,
        "end_line": location.end_line,
        "end_column": location.end_column,
    }
