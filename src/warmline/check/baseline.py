"""
Findings that were there when the checker came: how many, by file and rule, so that only new ones fail.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .finding import Finding

_VERSION = 1

Counts = Mapping[tuple[str, str], int]


class BaselineError(ValueError):
    """
    The file is no baseline; the message says why and what to do.
    """


@dataclass(frozen=True, slots=True)
class Compared:
    """
    What is new, and what the baseline has too many of.

    :param left: the counts as they are now, none higher than before.
    :param stale: file, rule, and how many of its findings are gone.
    """

    new: tuple[Finding, ...]
    left: Counts
    stale: tuple[tuple[str, str, int], ...]


def count(found: Iterable[Finding]) -> Counts:
    """
    Count findings by file and rule: lines move, and a count does not.
    """
    return Counter((finding.location.path, finding.rule) for finding in found)


def compare(found: Iterable[Finding], baseline: Counts) -> Compared:
    """
    Tell what goes beyond the baseline. Of several of one file and rule the last ones are taken for new.
    """
    findings = tuple(found)
    now = count(findings)
    seen: Counter[tuple[str, str]] = Counter()
    new = []
    for finding in findings:
        key = (finding.location.path, finding.rule)
        seen[key] += 1
        if seen[key] > baseline.get(key, 0):
            new.append(finding)
    left = {key: min(number, now[key]) for key, number in baseline.items() if now.get(key, 0)}
    stale = tuple((*key, number - now.get(key, 0)) for key, number in baseline.items() if number > now.get(key, 0))
    return Compared(tuple(new), left, stale)


def read_baseline(path: Path) -> Counts:
    """
    Read a baseline.

    :raises BaselineError: it can't be read, or is none.
    """
    again = "make it anew with --write-baseline"
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BaselineError(f"{path}: can't be read: {error.strerror}; {again}") from error
    except ValueError as error:
        raise BaselineError(f"{path}: is no JSON: {error}; {again}") from error
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise BaselineError(f"{path}: is no baseline of version {_VERSION}; {again}")
    try:
        return {
            (str(file), str(rule)): int(number)
            for file, rules in document["findings"].items()
            for rule, number in rules.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BaselineError(f"{path}: has no counts by file and rule; {again}") from error


def write_baseline(path: Path, counts: Counts) -> None:
    """
    Write a baseline, sorted, so that two people's changes merge.
    """
    findings: dict[str, dict[str, int]] = {}
    for (file, rule), number in sorted(counts.items()):
        findings.setdefault(file, {})[rule] = number
    path.write_text(json.dumps({"version": _VERSION, "findings": findings}, indent=2) + "\n", encoding="utf-8")
