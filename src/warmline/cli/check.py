"""
``warmline check``: what breaks a practice, in code and in templates.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from warmline.check.baseline import BaselineError, compare, count, read_baseline, write_baseline
from warmline.check.config import Config, ConfigError, check_rules, find_config, read_config
from warmline.check.files import Content, NoSuchPathError
from warmline.check.finding import Confidence, Severity
from warmline.check.fix import apply_fixes, diff
from warmline.check.run import Report, check_content, check_paths

from .console import FAILED, fail

Format = Literal["text", "json", "sarif", "github"]
Level = Literal["info", "warning", "error"]
Sure = Literal["low", "medium", "high"]

# Findings are left.
FOUND = 1

_STDIN = Path("-")


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files and folders; by default this folder. - is standard input.")
    ] = None,
    format: Annotated[Format, typer.Option("--format", "-f", help="What to write.")] = "text",  # noqa: A002
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    select: Annotated[
        str | None, typer.Option(help="Only these rules: ids or their beginnings, as in WL101,WL14.")
    ] = None,
    ignore: Annotated[str | None, typer.Option(help="Not these rules.")] = None,
    min_severity: Annotated[Level | None, typer.Option(help="Leave out what matters less.")] = None,
    min_confidence: Annotated[Sure | None, typer.Option(help="Leave out what is less sure.")] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Change the files where that is safe.")] = False,
    show_diff: Annotated[
        bool, typer.Option("--diff", help="Show what --fix would change, and change nothing.")
    ] = False,
    no_ignore: Annotated[
        bool, typer.Option("--no-ignore", help="Report what comments ignore too, for audits.")
    ] = False,
    baseline: Annotated[
        Path | None, typer.Option(help="Report only what goes beyond this file; it shrinks by itself.")
    ] = None,
    write_baseline_: Annotated[
        bool, typer.Option("--write-baseline", help="Write what there is now to the baseline.")
    ] = False,
    config: Annotated[
        Path | None, typer.Option(help="The configuration, instead of the nearest warmline.toml or pyproject.toml.")
    ] = None,
    stdin_filename: Annotated[
        str | None, typer.Option(help="What standard input is called: its name tells its language.")
    ] = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 though there are findings.")] = False,
) -> None:
    """
    Find what breaks a practice, in handler code and in templates.

    Reads Python, JavaScript, TypeScript, Go, Java, C#, Ruby and Rust; SAM, CloudFormation, CDK's output, the
    Serverless Framework and Terraform. Exits with 0 if nothing was found, with 1 if something was, and with 2 if
    nothing could be checked. A finding that is known gets a comment: # warmline: ignore[WL101] why

    Examples:
        warmline check

        warmline check src template.yaml --select WL1 --format sarif --output warmline.sarif

        warmline check --fix --diff

        warmline check --baseline warmline-baseline.json

        cat app.py | warmline check - --stdin-filename app.py

    """
    try:
        settings = _settings(config, select, ignore, min_severity, min_confidence)
        report = _run(paths or [Path()], settings, stdin_filename, honour_ignores=not no_ignore)
    except (ConfigError, NoSuchPathError) as error:
        fail(str(error))
    if fix or show_diff:
        report = _fix(report, settings, write=fix and not show_diff)
    stale = False
    if baseline is not None:
        report, stale = _against(report, baseline, write=write_baseline_)
    elif write_baseline_:
        fail("--write-baseline needs --baseline FILE, the file to write")
    if not show_diff:
        _write(report, format, output)
    if report.problems and report.files.keys() <= {problem.path for problem in report.problems}:
        raise typer.Exit(FAILED)
    if (report.findings or stale) and not exit_zero:
        raise typer.Exit(FOUND)


def _settings(
    path: Path | None, select: str | None, ignore: str | None, severity: Level | None, confidence: Sure | None
) -> Config:
    found = path or find_config(Path())
    settings = Config() if found is None else read_config(found)
    if select is not None:
        settings = replace(settings, select=check_rules(select.split(","), "--select"))
    if ignore is not None:
        settings = replace(settings, ignore=(*settings.ignore, *check_rules(ignore.split(","), "--ignore")))
    if severity is not None:
        settings = replace(settings, min_severity=Severity[severity.upper()])
    if confidence is not None:
        settings = replace(settings, min_confidence=Confidence[confidence.upper()])
    return settings


def _run(paths: list[Path], settings: Config, stdin_filename: str | None, *, honour_ignores: bool) -> Report:
    if paths == [_STDIN]:
        if stdin_filename is None:
            fail("standard input needs --stdin-filename, as in --stdin-filename app.py")
        content = Content({stdin_filename: sys.stdin.buffer.read()}, ())
        return check_content(content, settings, honour_ignores=honour_ignores)
    if not sys.stderr.isatty():
        return check_paths(paths, Path(), settings, honour_ignores=honour_ignores)
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("") as status:
        return check_paths(paths, Path(), settings, honour_ignores=honour_ignores, on_step=status.update)


def _fix(report: Report, settings: Config, *, write: bool) -> Report:
    fixed = apply_fixes(report.files, report.findings)
    if not write:
        sys.stdout.writelines(diff(report.files, fixed))
        return report
    for path, content in fixed.files.items():
        try:
            Path(path).write_bytes(content)
        except OSError as error:
            fail(f"can't write {path}: {error.strerror}")
    typer.echo(f"{len(fixed.applied)} fixed in {len(fixed.files)} files", err=True)
    # Lines have moved: what is left is looked for again.
    left = check_content(Content({**report.files, **fixed.files}, ()), settings)
    return replace(left, problems=report.problems)


def _against(report: Report, path: Path, *, write: bool) -> tuple[Report, bool]:
    try:
        if write or not path.exists():
            write_baseline(path, count(report.findings))
            typer.echo(f"{path}: {len(report.findings)} findings are known from now on", err=True)
            return replace(report, findings=()), False
        compared = compare(report.findings, read_baseline(path))
        if compared.stale:
            write_baseline(path, compared.left)
    except BaselineError as error:
        fail(str(error))
    except OSError as error:
        fail(f"can't write {path}: {error.strerror}")
    for file, rule, gone in compared.stale:
        typer.echo(f"{path}: {gone} of {rule} in {file} gone; the file is smaller now: commit it", err=True)
    return replace(report, findings=compared.new), bool(compared.stale)


def _write(report: Report, format: Format, output: Path | None) -> None:  # noqa: A002
    text = _text(report, format, colour=output is None and sys.stdout.isatty())
    if not text:
        return
    try:
        with nullcontext(sys.stdout) if output is None else output.open("w", encoding="utf-8") as file:
            file.write(f"{text}\n")
    except OSError as error:
        fail(f"can't write {output}: {error.strerror}; choose another file")


def _text(report: Report, format: Format, *, colour: bool) -> str:  # noqa: A002
    import os

    from warmline.report.findings.github import to_github
    from warmline.report.findings.json import to_json
    from warmline.report.findings.sarif import to_sarif
    from warmline.report.findings.text import to_text

    match format:
        case "text":
            return to_text(report, colour=colour and "NO_COLOR" not in os.environ)
        case "json":
            return to_json(report)
        case "sarif":
            return to_sarif(report)
        case "github":
            return to_github(report)
