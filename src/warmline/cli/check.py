"""
``warmline check``: what breaks a practice in code and templates.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer

from warmline.check import baseline as baselines
from warmline.check.config import Config, ConfigError, level, load_config, rule_ids
from warmline.check.files import list_files
from warmline.check.finding import Confidence, Severity
from warmline.check.run import Progress, Report, load
from warmline.check.run import check as check_files

from .console import FAILED, fail

_FOUND = 1

_MANY_FILES = 100


class Format(StrEnum):
    """
    How findings are written.
    """

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def check(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Files and folders; by default this one. - is standard input."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to write the findings.")] = Format.TEXT,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write them to this file.")] = None,
    select: Annotated[
        list[str] | None, typer.Option(help="Run these rules alone: ids with commas between them, or ALL.")
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Leave these rules out.")] = None,
    min_severity: Annotated[
        str | None, typer.Option(metavar="info|warning|error", help="Leave out what is less severe.")
    ] = None,
    min_confidence: Annotated[
        str | None,
        typer.Option(metavar="low|medium|high", help="Leave out what is less sure.", show_default="medium"),
    ] = None,
    no_ignore: Annotated[
        bool, typer.Option("--no-ignore", help="Report what comments ignore too, for an audit.")
    ] = False,
    baseline: Annotated[Path | None, typer.Option(help="Leave out the findings that this file has.")] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Write the findings to the baseline's file.")
    ] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely; report the rest.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what --fix would change, and change nothing.")] = False,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 though there are findings.")] = False,
    stdin_filename: Annotated[
        str | None, typer.Option(help="What standard input would be called; its ending tells the language.")
    ] = None,
) -> None:
    """
    Check code and templates for what hurts a function's MongoDB connections.

    Exit codes: 0 nothing found, 1 findings, 2 nothing could be checked.

    Examples:
        warmline check

        warmline check src template.yaml --select WL101,WL141

        warmline check --format sarif --output warmline.sarif

        warmline check --fix --diff

        git show :app.py | warmline check --stdin-filename app.py -

    """
    root = Path.cwd().resolve()
    config = _settings(root, select, ignore, min_severity, min_confidence)
    report = _checked(paths or ["."], root, config, ignores=not no_ignore, stdin_filename=stdin_filename)
    if diff:
        _show_fixes(report)
    if fix:
        report = _fixed(report, root, config, ignores=not no_ignore)
    stale: tuple[str, ...] = ()
    if write_baseline:
        _write(baseline, report)
    elif baseline is not None:
        report, stale = _without(baseline, report)
    _write_report(report, form, output)
    for line in stale:
        typer.echo(f"warmline: {line}; the baseline was shrunk, commit it", err=True)
    if report.problems and not report.files:
        raise typer.Exit(FAILED)
    raise typer.Exit(_FOUND if (report.findings or stale) and not (exit_zero or write_baseline) else 0)


def _settings(
    root: Path,
    select: list[str] | None,
    ignore: list[str] | None,
    min_severity: str | None,
    min_confidence: str | None,
) -> Config:
    try:
        config = load_config(root)
        if select:
            config = replace(config, select=rule_ids(_ids(select), where="--select"))
        if ignore:
            config = replace(config, ignore=(*config.ignore, *rule_ids(_ids(ignore), where="--ignore")))
        if min_severity:
            config = replace(config, min_severity=level(min_severity, Severity, where="--min-severity"))
        if min_confidence:
            config = replace(config, min_confidence=level(min_confidence, Confidence, where="--min-confidence"))
    except ConfigError as error:
        fail(str(error))
    return config


def _ids(given: list[str]) -> list[str]:
    return [part.strip() for text in given for part in text.split(",") if part.strip()]


def _checked(paths: list[str], root: Path, config: Config, *, ignores: bool, stdin_filename: str | None) -> Report:
    if "-" in paths:
        if paths != ["-"] or stdin_filename is None:
            fail("standard input is checked alone and needs a name: warmline check --stdin-filename app.py -")
        return check_files({stdin_filename: sys.stdin.buffer.read()}, config, ignores=ignores)
    contents, problems = load(list_files(paths, root=root, exclude=config.exclude), root=root)
    return check_files(contents, config, problems=tuple(problems), ignores=ignores, progress=_progress())


def _progress() -> Progress:
    if not sys.stderr.isatty():
        return lambda _, __: None

    def show(done: int, total: int) -> None:
        if total >= _MANY_FILES:
            sys.stderr.write(f"\rwarmline: {done:,} of {total:,} files" if done < total else "\r\x1b[K")
            sys.stderr.flush()

    return show


def _show_fixes(report: Report) -> None:
    from warmline.check.fix import apply_fixes, diff

    fixed = apply_fixes(report.contents, report.findings)
    sys.stdout.writelines(diff(report.contents, fixed))
    raise typer.Exit(_FOUND if fixed.files else 0)


def _fixed(report: Report, root: Path, config: Config, *, ignores: bool) -> Report:
    """
    Put the fixes into the files, and check again.
    """
    from warmline.check.fix import apply_fixes

    fixed = apply_fixes(report.contents, report.findings)
    for path, content in fixed.files.items():
        try:
            (root / path).write_bytes(content)
        except OSError as error:
            fail(f"can't write {path}: {error.strerror}")
    if not fixed.files:
        return report
    typer.echo(f"warmline: fixed {len(fixed.applied)} in {len(fixed.files)} of {report.files} files", err=True)
    contents: Mapping[str, bytes] = {**report.contents, **fixed.files}
    return check_files(contents, config, problems=report.problems, ignores=ignores)


def _write(file: Path | None, report: Report) -> None:
    if file is None:
        fail("--write-baseline needs the file to write: --baseline FILE")
    _save(file, baselines.counts(report.findings))


def _save(file: Path, counted: baselines.Counts) -> None:
    try:
        baselines.write_baseline(file, counted)
    except OSError as error:
        fail(f"can't write {file}: {error.strerror}; choose another file")


def _without(file: Path, report: Report) -> tuple[Report, tuple[str, ...]]:
    try:
        known = baselines.read_baseline(file)
    except baselines.BaselineError as error:
        fail(str(error))
    small = baselines.shrunk(report.findings, known, report.contents)
    stale = baselines.stale(known, small)
    if stale:
        _save(file, small)
    new, old = baselines.without(report.findings, small)
    return replace(report, findings=new, suppressed=(*report.suppressed, *old)), stale


def _write_report(report: Report, form: Format, output: Path | None) -> None:
    from warmline.report.findings.text import print_problems, print_text

    print_problems(report)
    if output is None:
        if form is Format.TEXT:
            print_text(report, sys.stdout)
        elif document := _document(report, form):
            sys.stdout.write(document + "\n")
        return
    try:
        output.write_text(_document(report, form) + "\n", "utf-8")
    except OSError as error:
        fail(f"can't write {output}: {error.strerror}; choose another file")


def _document(report: Report, form: Format) -> str:
    if form is Format.JSON:
        from warmline.report.findings.document import findings_to_json

        return findings_to_json(report)
    if form is Format.SARIF:
        from warmline.report.findings.sarif import findings_to_sarif

        return findings_to_sarif(report)
    if form is Format.GITHUB:
        from warmline.report.findings.annotations import findings_to_annotations

        return findings_to_annotations(report)
    from warmline.report.findings.text import print_text

    text = StringIO()
    print_text(report, text)
    return text.getvalue().rstrip("\n")
