"""
Findings as SARIF 2.1.0, which code hosts and editors read.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any
from urllib.parse import quote

import warmline
from warmline.check.finding import Finding, Severity
from warmline.check.ignores import Suppressed
from warmline.check.location import Location
from warmline.check.rules import RULES, Rule
from warmline.check.run import Report

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
RULE_PAGES = "https://github.com/warmline/warmline/blob/main/docs/rules"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def to_sarif(report: Report) -> str:
    """
    Write a report; suppressed findings are kept, with what suppresses them.
    """
    seen: Counter[str] = Counter()
    results = [
        *(_result(finding, report, seen) for finding in report.findings),
        *(_suppressed(each, report, seen) for each in report.suppressed),
    ]
    used = {result["ruleId"] for result in results}
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "warmline",
                        "version": warmline.__version__,
                        "rules": [_rule(rule) for rule in RULES if rule.id in used],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": results,
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "toolExecutionNotifications": [
                            {
                                "level": "warning",
                                "message": {"text": problem.reason},
                                "locations": [{"physicalLocation": {"artifactLocation": {"uri": quote(problem.path)}}}],
                            }
                            for problem in report.problems
                        ],
                    }
                ],
            }
        ],
    }
    return json.dumps(document, indent=2)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.fix},
        "helpUri": f"{RULE_PAGES}/{rule.id}.md",
        "defaultConfiguration": {"level": _LEVELS[rule.severity], "enabled": rule.default},
        "properties": {"practice": rule.practice},
    }


def _result(finding: Finding, report: Report, seen: Counter[str]) -> dict[str, Any]:
    return {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}. {finding.remedy[:1].upper()}{finding.remedy[1:]}."},
        "locations": [_physical(finding.location)],
        "relatedLocations": [
            _physical(step.location) | {"id": number, "message": {"text": step.text}}
            for number, step in enumerate(finding.path)
        ],
        "partialFingerprints": {"warmline/v1": _fingerprint(finding, report, seen)},
        "properties": {"confidence": finding.confidence.name.lower(), "practice": finding.practice},
    }


def _suppressed(each: Suppressed, report: Report, seen: Counter[str]) -> dict[str, Any]:
    suppression = {"kind": "inSource"} | ({"justification": each.reason} if each.reason else {})
    return _result(each.finding, report, seen) | {"suppressions": [suppression]}


def _fingerprint(finding: Finding, report: Report, seen: Counter[str]) -> str:
    """
    The same after lines above it have come or gone: by rule, file, and the text of the line.
    """
    lines = report.files.get(finding.location.path, b"").splitlines()
    line = lines[finding.location.line - 1].strip() if finding.location.line <= len(lines) else b""
    key = hashlib.sha256(b"\0".join((finding.rule.encode(), finding.location.path.encode(), line))).hexdigest()[:32]
    seen[key] += 1
    return f"{key}:{seen[key]}"


def _physical(location: Location) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(location.path)},
            "region": {
                "startLine": location.line,
                "startColumn": location.column,
                "endLine": location.end_line,
                "endColumn": location.end_column,
            },
        }
    }
