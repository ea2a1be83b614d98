"""
Findings that a project has decided to live with for now: how many of each rule in each file.

Counts and not lines, so that a line that moves is no new finding. Where there are fewer than the baseline has, it has
to shrink, so that what was mended can't come back unseen.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from .finding import Finding
from .ignores import Suppressed

_VERSION = 1

Counts = Mapping[str, Mapping[str, int]]


class BaselineError(ValueError):
    """
    The baseline can't be read, or has more than there is; the message says what to do.
    """


def counts(findings: Iterable[Finding]) -> Counts:
    """
    Count findings by file and rule.
    """
    counted = Counter((finding.location.path, finding.rule) for finding in findings)
    by_file: dict[str, dict[str, int]] = {}
    for (path, rule), number in sorted(counted.items()):
        by_file.setdefault(path, {})[rule] = number
    return by_file


def read_baseline(file: Path) -> Counts:
    """
    Read a baseline.

    :raises BaselineError: it is none.
    """
    try:
        document = json.loads(file.read_text("utf-8"))
        if document["version"] != _VERSION:
            raise BaselineError(f"{file}: a baseline of another version of warmline; write it anew: --write-baseline")
        return {
            str(path): {str(rule): int(number) for rule, number in rules.items()}
            for path, rules in document["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, BaselineError):
            raise
        reason = error.strerror if isinstance(error, OSError) else "it is no baseline"
        raise BaselineError(f"can't read the baseline {file}: {reason}; write one with --write-baseline") from error


def write_baseline(file: Path, baseline: Counts) -> None:
    """
    Write a baseline; the same findings make the same bytes.

    :raises OSError: it can't be written.
    """
    document = {"version": _VERSION, "files": baseline}
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")


def without(findings: tuple[Finding, ...], baseline: Counts) -> tuple[tuple[Finding, ...], tuple[Suppressed, ...]]:
    """
    Part the findings into those that are new and those that the baseline has.

    Which of several in a file are the new ones can't be told: where there are more than the baseline has, all are.
    """
    there = counts(findings)
    new: list[Finding] = []
    old: list[Suppressed] = []
    for finding in findings:
        path, rule = finding.location.path, finding.rule
        if there[path][rule] <= baseline.get(path, {}).get(rule, 0):
            old.append(Suppressed(finding, "", "baseline"))
        else:
            new.append(finding)
    return tuple(new), tuple(old)


def shrunk(findings: tuple[Finding, ...], baseline: Counts, checked: Iterable[str]) -> Counts:
    """
    Return the baseline without what is no longer there.

    :param checked: the files of this run; of others nothing is known, except that those that are gone have no findings.
    """
    there, looked_at = counts(findings), frozenset(checked)
    small: dict[str, dict[str, int]] = {}
    for path, rules in baseline.items():
        if path not in looked_at and Path(path).exists():
            small[path] = dict(rules)
            continue
        left = {rule: min(number, there.get(path, {}).get(rule, 0)) for rule, number in rules.items()}
        if kept := {rule: number for rule, number in left.items() if number}:
            small[path] = kept
    return small


def stale(baseline: Counts, small: Counts) -> tuple[str, ...]:
    """
    Tell what has shrunk: one line for each file and rule.
    """
    return tuple(
        f"{path}: the baseline has {number} of {rule}, and there {'is' if now == 1 else 'are'} {now}"
        for path, rules in baseline.items()
        for rule, number in rules.items()
        if (now := small.get(path, {}).get(rule, 0)) < number
    )
