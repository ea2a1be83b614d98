"""
Comments that say of a finding that it is known: ``# warmline: ignore[WL101] why``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .finding import Finding
from .location import Location
from .source.languages import language_of
from .source.read import comments

# What a comment says, whatever it begins with in its language.
_IGNORE = re.compile(
    r"(?:#|//|/\*|--|<!--)\s*warmline:\s*ignore\[(?P<rules>[^\]]*)\](?P<reason>.*?)(?:\*/|-->|$)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Ignore:
    """
    One comment.

    :param rules: the ids that it names.
    :param line: the line that it speaks of.
    """

    rules: tuple[str, ...]
    reason: str
    line: int
    location: Location


@dataclass(frozen=True, slots=True)
class Suppressed:
    """
    A finding that a comment says is known, and why.
    """

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Sorted:
    """
    Findings with and without such a comment, and comments without a finding.
    """

    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...]
    unused: tuple[Ignore, ...]


def sort_out(found: Iterable[Finding], files: Mapping[str, bytes]) -> Sorted:
    """
    Tell which findings a comment in their file suppresses.
    """
    ignores = {path: ignores_in(path, data) for path, data in files.items() if b"warmline:" in data}
    left: list[Finding] = []
    suppressed: list[Suppressed] = []
    used: set[Ignore] = set()
    for finding in found:
        of_file = ignores.get(finding.location.path, ())
        lines = range(finding.location.line, finding.location.end_line + 1)
        ignore = next((each for each in of_file if finding.rule in each.rules and each.line in lines), None)
        if ignore is None:
            left.append(finding)
        else:
            used.add(ignore)
            suppressed.append(Suppressed(finding, ignore.reason))
    unused = tuple(each for of_file in ignores.values() for each in of_file if each not in used)
    return Sorted(tuple(left), tuple(suppressed), unused)


def ignores_in(path: str, data: bytes) -> tuple[Ignore, ...]:
    """
    Return a file's comments of this kind: at the end of the line with the finding, or on a line of its own above it.
    """
    language = language_of(path)
    found = []
    for line, before, text in comments(data, language) if language is not None else _lines(data):
        match = _IGNORE.search(text)
        if match is None:
            continue
        rules = tuple(rule.strip() for rule in match["rules"].split(",") if rule.strip())
        alone = not before.strip(" \t{")
        column = len(before) + match.start() + 1
        location = Location(path, line, column, line, column + len(match[0]))
        found.append(Ignore(rules, match["reason"].strip(), line + alone, location))
    return tuple(found)


def _lines(data: bytes) -> Iterator[tuple[int, str, str]]:
    """
    The lines of a template, in which a comment can begin anywhere, each as :func:`comments` yields one.
    """
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        match = _IGNORE.search(line)
        if match is not None:
            yield number, line[: match.start()], line[match.start() :]
