"""
Fixes put into files' texts.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .finding import Edit, Finding
from .read import read_infra
from .source.languages import language_of
from .source.read import parses


@dataclass(frozen=True, slots=True)
class Fixed:
    """
    Files after their fixes.

    :param files: the new content of those that have changed, by path.
    :param applied: the findings whose fixes are in.
    """

    files: Mapping[str, bytes]
    applied: tuple[Finding, ...]


def apply_fixes(files: Mapping[str, bytes], findings: Iterable[Finding]) -> Fixed:
    """
    Put the findings' fixes into the files.

    Of two that touch the same stretch the first is taken; another run takes the other. One after which its file can't
    be parsed, though it could before, is left out.
    """
    changed: dict[str, bytes] = {}
    applied: list[Finding] = []
    edits: dict[str, list[Edit]] = {}
    for finding in findings:
        if finding.fix is None:
            continue
        path = finding.location.path
        there = edits.get(path, [])
        wanted = [*there, *finding.fix.edits]
        if path not in files or _overlap(wanted):
            continue
        content = _edited(files[path], wanted)
        if _parses(path, files[path]) and not _parses(path, content):
            continue
        edits[path] = wanted
        changed[path] = content
        applied.append(finding)
    return Fixed(changed, tuple(applied))


def diff(before: Mapping[str, bytes], fixed: Fixed) -> Iterator[str]:
    """
    Yield the lines of a unified diff of what fixes change.
    """
    for path, content in fixed.files.items():
        yield from difflib.unified_diff(
            before[path].decode("utf-8", "replace").splitlines(keepends=True),
            content.decode("utf-8", "replace").splitlines(keepends=True),
            f"a/{path}",
            f"b/{path}",
        )


def _parses(path: str, content: bytes) -> bool:
    language = language_of(path)
    if language is not None:
        return parses(content, language)
    facts = read_infra(path, content)
    return facts is None or facts.problem is None


def _overlap(edits: list[Edit]) -> bool:
    stretches = sorted((edit.location.start, edit.location.end) for edit in edits)
    return any(
        start < before_end or (start, end) == (before, before_end)
        for (before, before_end), (start, end) in itertools.pairwise(stretches)
    )


def _edited(content: bytes, edits: list[Edit]) -> bytes:
    for edit in sorted(edits, key=lambda edit: edit.location.start, reverse=True):
        content = content[: edit.location.start] + edit.text.encode() + content[edit.location.end :]
    return content
