"""
``warmline check``: what breaks a practice in code and templates.

Its arguments are read by argparse: Typer and what it imports take as long as all the rest of a small check, and this
command runs before each commit.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

from warmline.check import baseline as baselines
from warmline.check.config import Config, ConfigError, level, load_config, rule_ids
from warmline.check.files import list_files
from warmline.check.finding import Confidence, Severity
from warmline.check.run import Progress, Report, load
from warmline.check.run import check as check_files

_FOUND = 1
_FAILED = 2

_MANY_FILES = 100

_DESCRIPTION = """\
Check code and templates for what hurts a function's MongoDB connections.

Exit codes: 0 nothing found, 1 findings, 2 nothing could be checked.
"""

_EXAMPLES = """\
examples:
  warmline check
  warmline check src template.yaml --select WL101,WL141
  warmline check --format sarif --output warmline.sarif
  warmline check --fix --diff
  git show :app.py | warmline check --stdin-filename app.py -
"""


class _FailedError(Exception):
    """
    The command can't do its work; the message says why and what to do.
    """


def check(arguments: Sequence[str]) -> int:
    """
    Run the command; return its exit code.
    """
    given = _parser().parse_args(arguments)
    try:
        return _run(given)
    except (_FailedError, ConfigError, baselines.BaselineError) as error:
        print(f"warmline: {error}", file=sys.stderr)
        return _FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "warmline check",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("paths", nargs="*", metavar="PATH", help="files and folders; by default this folder. - is standard input")
    add("--format", choices=("text", "json", "sarif", "github"), default="text", help="how to write the findings")
    add("-o", "--output", type=Path, metavar="FILE", help="write them to this file")
    add("--select", action="append", default=[], metavar="IDS", help="run these rules alone: WL101,WL14, or ALL")
    add("--ignore", action="append", default=[], metavar="IDS", help="leave these rules out")
    add("--min-severity", metavar="info|warning|error", help="leave out what is less severe")
    add("--min-confidence", metavar="low|medium|high", help="leave out what is less sure (default: medium)")
    add("--no-ignore", action="store_true", help="report what comments ignore too, for an audit")
    add("--baseline", type=Path, metavar="FILE", help="leave out the findings that this file has")
    add("--write-baseline", action="store_true", help="write the findings to the baseline's file")
    add("--fix", action="store_true", help="mend what can be mended safely; report the rest")
    add("--diff", action="store_true", help="show what --fix would change, and change nothing")
    add("--exit-zero", action="store_true", help="exit with 0 though there are findings")
    add("--stdin-filename", metavar="NAME", help="what standard input would be called; its ending tells the language")
    return parser


def _run(given: argparse.Namespace) -> int:
    root = Path.cwd().resolve()
    config = _settings(root, given.select, given.ignore, given.min_severity, given.min_confidence)
    ignores = not given.no_ignore
    report = _checked(given.paths or ["."], root, config, ignores=ignores, stdin_filename=given.stdin_filename)
    if given.diff:
        return _show_fixes(report)
    if given.fix:
        report = _fixed(report, root, config, ignores=ignores)
    stale: tuple[str, ...] = ()
    if given.write_baseline:
        _write(given.baseline, report)
    elif given.baseline is not None:
        report, stale = _without(given.baseline, report)
    _write_report(report, given.format, given.output)
    for line in stale:
        print(f"warmline: {line}; the baseline was shrunk, commit it", file=sys.stderr)
    if report.problems and not report.files:
        return _FAILED
    return _FOUND if (report.findings or stale) and not (given.exit_zero or given.write_baseline) else 0


def _settings(
    root: Path, select: list[str], ignore: list[str], min_severity: str | None, min_confidence: str | None
) -> Config:
    config = load_config(root)
    if select:
        config = replace(config, select=rule_ids(_ids(select), where="--select"))
    if ignore:
        config = replace(config, ignore=(*config.ignore, *rule_ids(_ids(ignore), where="--ignore")))
    if min_severity:
        config = replace(config, min_severity=level(min_severity, Severity, where="--min-severity"))
    if min_confidence:
        config = replace(config, min_confidence=level(min_confidence, Confidence, where="--min-confidence"))
    return config


def _ids(given: list[str]) -> list[str]:
    return [part.strip() for text in given for part in text.split(",") if part.strip()]


def _checked(paths: list[str], root: Path, config: Config, *, ignores: bool, stdin_filename: str | None) -> Report:
    if "-" in paths:
        if paths != ["-"] or stdin_filename is None:
            raise _FailedError(
                "standard input is checked alone and needs a name: warmline check --stdin-filename app.py -"
            )
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


def _show_fixes(report: Report) -> int:
    from warmline.check.fix import apply_fixes, diff

    fixed = apply_fixes(report.contents, report.findings)
    sys.stdout.writelines(diff(report.contents, fixed))
    return _FOUND if fixed.files else 0


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
            raise _FailedError(f"can't write {path}: {error.strerror}") from error
    if not fixed.files:
        return report
    print(f"warmline: fixed {len(fixed.applied)} in {len(fixed.files)} of {report.files} files", file=sys.stderr)
    contents: Mapping[str, bytes] = {**report.contents, **fixed.files}
    return check_files(contents, config, problems=report.problems, ignores=ignores)


def _write(file: Path | None, report: Report) -> None:
    if file is None:
        raise _FailedError("--write-baseline needs the file to write: --baseline FILE")
    _save(file, baselines.counts(report.findings))


def _save(file: Path, counted: baselines.Counts) -> None:
    try:
        baselines.write_baseline(file, counted)
    except OSError as error:
        raise _FailedError(f"can't write {file}: {error.strerror}; choose another file") from error


def _without(file: Path, report: Report) -> tuple[Report, tuple[str, ...]]:
    known = baselines.read_baseline(file)
    small = baselines.shrunk(report.findings, known, report.contents)
    stale = baselines.stale(known, small)
    if stale:
        _save(file, small)
    new, old = baselines.without(report.findings, small)
    return replace(report, findings=new, suppressed=(*report.suppressed, *old)), stale


def _write_report(report: Report, form: str, output: Path | None) -> None:
    from warmline.report.findings.text import print_problems, print_text

    print_problems(report)
    if output is None:
        if form == "text":
            print_text(report, sys.stdout)
        elif document := _document(report, form):
            sys.stdout.write(document + "\n")
        return
    try:
        output.write_text(_document(report, form) + "\n", "utf-8")
    except OSError as error:
        raise _FailedError(f"can't write {output}: {error.strerror}; choose another file") from error


def _document(report: Report, form: str) -> str:
    if form == "json":
        from warmline.report.findings.document import findings_to_json

        return findings_to_json(report)
    if form == "sarif":
        from warmline.report.findings.sarif import findings_to_sarif

        return findings_to_sarif(report)
    if form == "github":
        from warmline.report.findings.annotations import findings_to_annotations

        return findings_to_annotations(report)
    from warmline.report.findings.text import print_text

    text = StringIO()
    print_text(report, text)
    return text.getvalue().rstrip("\n")
