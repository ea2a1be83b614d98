"""
Findings as SARIF 2.1.0, for GitHub's code scanning and others.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import warmline
from warmline.check.finding import Confidence, Finding, Fix, Severity
from warmline.check.ignores import UNUSED_IGNORE, Suppressed
from warmline.check.location import Location
from warmline.check.rules import RULES, Rule
from warmline.check.run import Report

from .excerpt import Excerpts

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PRECISIONS = {Confidence.HIGH: "high", Confidence.MEDIUM: "medium", Confidence.LOW: "low"}

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

# Paths are relative to what the reader has checked out.
_ROOT = "%SRCROOT%"


def findings_to_sarif(report: Report) -> str:
    """
    Return the report as a SARIF log: suppressed findings are in it, marked as such, and files that could not be read.
    """
    excerpts = Excerpts(report.contents, report.secrets)
    rules = (*RULES, UNUSED_IGNORE)
    indexes = {rule.id: index for index, rule in enumerate(rules)}
    seen: Counter[str] = Counter()
    results = [_result(finding, excerpts, indexes, seen) for finding in report.findings]
    results += [
        _result(each.finding, excerpts, indexes, seen) | {"suppressions": [_suppression(each)]}
        for each in report.suppressed
    ]
    run = {
        "tool": {
            "driver": {
                "name": "warmline",
                "semanticVersion": _semantic(warmline.__version__),
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {
                        "level": "warning",
                        "message": {"text": problem.reason},
                        "locations": [{"physicalLocation": {"artifactLocation": _artifact(problem.path)}}],
                    }
                    for problem in report.problems
                ],
            }
        ],
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _semantic(version: str) -> str:
    return version.replace(".dev", "-dev.")


def _rule(rule: Rule) -> dict[str, Any]:
    described = {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": f"{rule.summary} {rule.why}"},
        "help": {
            "text": f"{rule.why}\n\n{rule.fix}",
            "markdown": "\n\n".join(
                (rule.why, f"**{rule.fix}**", *(f"- [{each.title}]({each.url})" for each in rule.sources))
            ),
        },
        "defaultConfiguration": {"level": _LEVELS[rule.severity], "enabled": rule.default},
        "properties": {"tags": [rule.practice] if rule.practice else []},
    }
    return described | ({"helpUri": rule.sources[0].url} if rule.sources else {})


def _result(finding: Finding, excerpts: Excerpts, indexes: dict[str, int], seen: Counter[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": indexes[finding.rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}. {finding.remedy}."},
        "locations": [{"physicalLocation": _physical(finding.location, excerpts.line(finding.location))}],
        "partialFingerprints": {"warmline/v1": _fingerprint(finding, excerpts, seen)},
        "properties": {"precision": _PRECISIONS[finding.confidence], "practice": finding.practice},
    }
    if finding.path:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _physical(step.location, None), "message": {"text": step.text}}
            for number, step in enumerate(finding.path, 1)
        ]
        result["codeFlows"] = [
            {
                "threadFlows": [
                    {
                        "locations": [
                            {
                                "location": {
                                    "physicalLocation": _physical(step.location, None),
                                    "message": {"text": step.text},
                                }
                            }
                            for step in finding.path
                        ]
                    }
                ]
            }
        ]
    if finding.fix is not None:
        result["fixes"] = [_fix(finding.fix)]
    return result


def _fingerprint(finding: Finding, excerpts: Excerpts, seen: Counter[str]) -> str:
    """
    The same after lines were added above: of the rule, the file, the line's text, and which of several it is.
    """
    text = "\0".join((finding.rule, finding.location.path, (excerpts.line(finding.location) or "").strip()))
    seen[text] += 1
    return hashlib.sha256(f"{text}\0{seen[text]}".encode()).hexdigest()


def _physical(location: Location, line: str | None) -> dict[str, Any]:
    region: dict[str, Any] = {
        "startLine": location.line,
        "startColumn": location.column,
        "endLine": location.end_line,
        "endColumn": location.end_column,
    }
    if line is not None and location.line == location.end_line:
        region["snippet"] = {"text": line}
    return {"artifactLocation": _artifact(location.path), "region": region}


def _artifact(path: str) -> dict[str, Any]:
    if path.startswith("/"):
        return {"uri": PurePosixPath(path).as_uri()}
    return {"uri": quote(path), "uriBaseId": _ROOT}


def _suppression(suppressed: Suppressed) -> dict[str, Any]:
    kind = "inSource" if suppressed.by == "comment" else "external"
    return {"kind": kind} | ({"justification": suppressed.reason} if suppressed.reason else {})


def _fix(fix: Fix) -> dict[str, Any]:
    changes: dict[str, list[dict[str, Any]]] = {}
    for edit in fix.edits:
        start, end = edit.location.start, edit.location.end
        changes.setdefault(edit.location.path, []).append(
            {
                "deletedRegion": {"byteOffset": start, "byteLength": end - start},
                "insertedContent": {"text": edit.text},
            }
        )
    return {
        "description": {"text": fix.title},
        "artifactChanges": [
            {"artifactLocation": _artifact(path), "replacements": replacements}
            for path, replacements in changes.items()
        ],
    }
