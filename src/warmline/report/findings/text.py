"""
Findings for people: the place, the line, the way there, the remedy.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import IO

from warmline.check.finding import Finding, Severity
from warmline.check.location import Location
from warmline.check.run import Report

from .excerpt import Excerpts

# A line of the report: its parts, each with a style as Rich writes it.
_Line = tuple[tuple[str, str], ...]

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}


def print_text(report: Report, file: IO[str]) -> None:
    """
    Print findings and their number; in colours where a terminal shows them and ``NO_COLOR`` is not set.
    """
    if not file.isatty():
        # Rich takes as long to load as many a check.
        for line in _lines(report):
            file.write("".join(text for text, _ in line).rstrip() + "\n")
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=file, highlight=False)
    for line in _lines(report):
        console.print(Text.assemble(*line), soft_wrap=True)


def print_problems(report: Report) -> None:
    """
    Name the files that could not be checked, on standard error.
    """
    for problem in report.problems:
        print(f"warmline: {problem.path}: {problem.reason}", file=sys.stderr)


def summary(report: Report) -> str:
    """
    Return the number of findings by severity, and of files, in one line.
    """
    counts = Counter(finding.severity for finding in report.findings)
    files = _number(report.files, "file")
    more = f"; {len(report.suppressed)} ignored" if report.suppressed else ""
    if not counts:
        return f"No findings in {files}{more}."
    severities = ", ".join(f"{counts[each]} {each.name.lower()}" for each in sorted(counts, reverse=True))
    return f"{_number(len(report.findings), 'finding')} in {files}: {severities}{more}."


def _lines(report: Report) -> Iterator[_Line]:
    excerpts = Excerpts(report.contents, report.secrets)
    for finding in report.findings:
        yield from _finding(finding, excerpts)
        yield ()
    yield ((summary(report), "bold"),)


def _finding(finding: Finding, excerpts: Excerpts) -> Iterator[_Line]:
    location = finding.location
    yield (
        (f"{location.path}:{location.line}:{location.column}: ", ""),
        (finding.rule, _STYLES[finding.severity]),
        (f" {finding.message}", ""),
    )
    width = len(str(location.line))
    if (marked := excerpts.marked(location)) is not None:
        line, mark = marked
        yield ((f"{' ' * width} |", "blue"),)
        yield ((f"{location.line} | ", "blue"), (line, ""))
        yield ((f"{' ' * width} | ", "blue"), (mark, _STYLES[finding.severity]))
    if finding.path:
        way = " > ".join(f"{step.text} ({_where(step.location, location.path)})" for step in finding.path)
        yield ((f"{' ' * width} = ", "blue"), ("way: ", "bold"), (way, ""))
    fixable = " (--fix does it)" if finding.fix is not None else ""
    yield ((f"{' ' * width} = ", "blue"), ("help: ", "bold"), (f"{finding.remedy}{fixable}", ""))


def _where(location: Location, path: str) -> str:
    return f"line {location.line}" if location.path == path else f"{location.path}:{location.line}"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
