"""
Comments that switch a rule off for one line: ``# warmline: ignore[WL101] reason``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from .finding import Finding, Severity
from .location import Location
from .rules import Rule
from .source.languages import language_of
from .source.read import comments

_MENTION = b"warmline: ignore"

_COMMENT = re.compile(
    r"(?P<lead>#|//|/\*+|<!--)\s*warmline: ignore(\[(?P<rules>[^\]]*)\])?(?P<reason>.*?)(\*/|-->|$)",
)

# A line that holds a comment and nothing else; `{` is what JSX puts around one.
_COMMENT_LINE = re.compile(r"\s*(#|//|/\*|\*|<!--|\{/\*|$)")

UNUSED_IGNORE = Rule(
    id="WL001",
    name="unused-ignore",
    summary="A comment ignores a rule that finds nothing there.",
    practice="",
    severity=Severity.INFO,
    reads=(),
    why="It would hide the next finding of that rule on this line, though nobody has looked at that one.",
    fix="Remove the comment, or the rule's id from it.",
    sources=(),
    match=lambda _, __: iter(()),
)


@dataclass(frozen=True, slots=True)
class Suppressed:
    """
    A finding that does not count.

    :param reason: what the comment says after the rule; empty for the baseline.
    """

    finding: Finding
    reason: str
    by: Literal["comment", "baseline"] = "comment"


@dataclass(frozen=True, slots=True)
class _Ignore:
    rules: tuple[str, ...]
    reason: str
    line: int
    location: Location


def apply_ignores(
    findings: Iterable[Finding], contents: Mapping[str, bytes], rules: tuple[Rule, ...]
) -> tuple[tuple[Finding, ...], tuple[Suppressed, ...]]:
    """
    Part the findings into those that count and those that a comment ignores; comments without a use are findings.

    A comment counts for the first and the last line of what is found, or, on a line of its own, for the next line.

    :param rules: those that have run: a comment for another one is not without a use.
    """
    ignores = {path: list(_ignores(path, data)) for path, data in contents.items() if _MENTION in data}
    used: set[tuple[Location, str]] = set()
    counting: list[Finding] = []
    suppressed: list[Suppressed] = []
    for finding in findings:
        lines = (finding.location.line, finding.location.end_line)
        for ignore in ignores.get(finding.location.path, ()):
            if ignore.line in lines and finding.rule in ignore.rules:
                used.add((ignore.location, finding.rule))
                suppressed.append(Suppressed(finding, ignore.reason))
                break
        else:
            counting.append(finding)
    ran = {rule.id for rule in rules}
    for ignore in (each for found in ignores.values() for each in found):
        counting.extend(_unused(ignore, used, ran))
    return tuple(sorted(counting, key=lambda finding: (finding.location, finding.rule))), tuple(suppressed)


def _unused(ignore: _Ignore, used: set[tuple[Location, str]], ran: set[str]) -> Iterator[Finding]:
    if not ignore.rules:
        yield UNUSED_IGNORE.finding(
            ignore.location,
            "this comment names no rule and ignores nothing",
            remedy="name the rule in it: warmline: ignore[WL101] reason",
        )
    for rule_id in ignore.rules:
        if rule_id in ran and (ignore.location, rule_id) not in used:
            yield UNUSED_IGNORE.finding(
                ignore.location,
                f"this comment ignores {rule_id}, which finds nothing here",
                remedy=f"remove {rule_id} from it",
            )


def _ignores(path: str, data: bytes) -> Iterator[_Ignore]:
    lines = data.decode("utf-8", "replace").split("\n")
    language = language_of(path)
    # A line that quotes such a comment, in a string say, is none.
    numbers = {number for number, _, _ in comments(data, language)} if language is not None else None
    for number, line in enumerate(lines, 1):
        found = _COMMENT.search(line) if _MENTION in line.encode() else None
        if found is None or (numbers is not None and number not in numbers):
            continue
        location = Location(path, number, found.start() + 1, number, len(line.rstrip()) + 1)
        rules = tuple(part.strip() for part in (found["rules"] or "").split(",") if part.strip())
        alone = not line[: found.start()].strip(" \t{")
        meant = _next_line(lines, number) if alone else number
        yield _Ignore(rules, found["reason"].strip(" :-}"), meant, location)


def _next_line(lines: list[str], number: int) -> int:
    """
    The first line after it that is neither empty nor a comment.
    """
    following = (each for each in range(number + 1, len(lines) + 1) if not _COMMENT_LINE.match(lines[each - 1]))
    return next(following, number)
