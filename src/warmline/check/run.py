"""
A whole check: files, their facts, findings, and which of those count.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .config import Config
from .files import Listing, Problem, UnreadableError, content_problem, read_file
from .finding import Finding
from .guard import Reader, Result, guarded
from .ignores import Suppressed, apply_ignores
from .infra.facts import InfraFacts
from .location import Location
from .read import Facts, may_be_code, may_be_infra, read_project
from .rules import findings
from .source.facts import CodeFacts

Progress = Callable[[int, int], None]

# Below so many bytes of code that has to do with MongoDB, other processes take longer to start than they save.
_WORTH_PROCESSES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    What came out.

    :param files: how many files could be read.
    :param contents: their content by path.
    """

    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: int = 0
    contents: Mapping[str, bytes]

    @property
    def secrets(self) -> frozenset[Location]:
        """
        Where something stands that is not to be shown.
        """
        found = (*self.findings, *(each.finding for each in self.suppressed))
        return frozenset(finding.location for finding in found if finding.secret)


def load(listing: Listing, *, root: Path) -> tuple[dict[str, bytes], list[Problem]]:
    """
    Read the listed files; those that can't be are named.
    """
    contents = {}
    problems = list(listing.problems)
    for path in listing.files:
        try:
            contents[path] = read_file(path, root=root)
        except UnreadableError as error:
            problems.append(Problem(path, str(error)))
    return contents, problems


def check(
    contents: Mapping[str, bytes],
    config: Config,
    *,
    problems: tuple[Problem, ...] = (),
    ignores: bool = True,
    progress: Progress = lambda _, __: None,
) -> Report:
    """
    Check files that belong together.

    :param problems: of files that could not even be read.
    :param ignores: whether comments in the files count.
    :param progress: is told how many files have been parsed, of how many.
    """
    reading = _Reading(progress)
    unsound = {path: reason for path, data in contents.items() if (reason := _content_problem(path, data)) is not None}
    reading.problems += [Problem(path, reason) for path, reason in unsound.items()]
    sound = {path: data for path, data in contents.items() if path not in unsound}
    project = read_project(sound, each=reading.each)
    read: tuple[CodeFacts | InfraFacts, ...] = (*project.code, *project.infra)
    in_part = [Problem(facts.path, facts.problem) for facts in read if facts.problem is not None]
    found = tuple(_counting(findings(project, config.rules()), config))
    suppressed: tuple[Suppressed, ...] = ()
    if ignores:
        found, suppressed = apply_ignores(found, contents, config.rules())
    return Report(
        findings=found,
        suppressed=suppressed,
        problems=tuple(sorted({*problems, *reading.problems, *in_part})),
        files=len(contents.keys() - {problem.path for problem in reading.problems}),
        contents=contents,
    )


def _content_problem(path: str, data: bytes) -> str | None:
    # Of a file that has nothing to do with us nobody wants to know.
    return content_problem(path, data) if may_be_code(path, data) or may_be_infra(path, data) else None


def _counting(found: tuple[Finding, ...], config: Config) -> Iterator[Finding]:
    for finding in found:
        severity = config.severity.get(finding.rule, finding.severity)
        if (
            severity >= config.min_severity
            and finding.confidence >= config.min_confidence
            and not config.ignored_in(finding.location.path, finding.rule)
        ):
            yield finding if severity is finding.severity else replace(finding, severity=severity)


class _Reading:
    """
    Goes through files, in other processes where that pays, and notes what goes wrong with one.
    """

    def __init__(self, progress: Progress) -> None:
        self.problems: list[Problem] = []
        self._progress = progress

    def each(self, read: Reader[Facts], files: Mapping[str, bytes]) -> list[Facts]:
        many = sum(map(len, files.values())) > _WORTH_PROCESSES and (os.cpu_count() or 1) > 1
        results = _elsewhere(read, files) if many else _here(read, files)
        made: dict[str, Facts | None] = {}
        for done, (path, facts, reason) in enumerate(results, 1):
            made[path] = facts
            if reason is not None:
                self.problems.append(Problem(path, reason))
            self._progress(done, len(files))
        # Whatever the order in which processes have ended.
        return [facts for path in files if (facts := made[path]) is not None]


def _here(read: Reader[Facts], files: Mapping[str, bytes]) -> Iterator[Result[Facts]]:
    for path, data in files.items():
        yield guarded(read, path, data)


def _elsewhere(read: Reader[Facts], files: Mapping[str, bytes]) -> Iterator[Result[Facts]]:
    # What starts processes takes a part of a small check's time to import.
    from .processes import in_processes

    return in_processes(read, files)
