"""
A check from paths to what is reported.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .config import Config
from .files import Content, Problem, read_files
from .finding import Finding
from .ignores import Ignore, Suppressed, sort_out
from .read import read_project
from .rules import RULES, Rule, findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    What a check has found.

    :param suppressed: findings that a comment says are known.
    :param unused: such comments without a finding.
    :param problems: files that could not be checked, or only in part.
    :param files: the content of the files that were, by path.
    """

    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...] = ()
    unused: tuple[Ignore, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: Mapping[str, bytes]


def check_paths(
    paths: Sequence[Path],
    root: Path,
    config: Config,
    *,
    honour_ignores: bool = True,
    on_step: Callable[[str], None] = lambda _: None,
) -> Report:
    """
    Check what is at and below these paths.

    :param root: paths are told relative to this folder.
    :param honour_ignores: whether comments suppress findings.
    :param on_step: hears what is done now, in a few words.
    :raises warmline.check.files.NoSuchPathError: one of the paths is not there.
    """
    on_step("looking for files")
    content = read_files(paths, root, config.exclude)
    return check_content(content, config, honour_ignores=honour_ignores, on_step=on_step)


def check_content(
    content: Content,
    config: Config,
    *,
    honour_ignores: bool = True,
    on_step: Callable[[str], None] = lambda _: None,
) -> Report:
    """
    Check files that have been read.
    """
    rules = selected(config)
    on_step(f"reading {len(content.files):,} files")
    project = read_project(content.files)
    on_step(f"applying {len(rules)} rules")
    found = tuple(
        finding
        for finding in (_with_severity(each, config) for each in findings(project, rules))
        if finding.confidence >= config.min_confidence
        and finding.severity >= config.min_severity
        and not _ignored_in_file(finding, config)
    )
    in_part = (
        *(Problem(facts.path, facts.problem) for facts in project.infra if facts.problem is not None),
        *(Problem(facts.path, facts.problem) for facts in project.code if facts.problem is not None),
    )
    problems = tuple(sorted({*content.problems, *in_part}, key=lambda problem: (problem.path, problem.reason)))
    if not honour_ignores:
        return Report(findings=found, problems=problems, files=content.files)
    out = sort_out(found, content.files)
    ids = {rule.id for rule in rules}
    return Report(
        findings=out.findings,
        suppressed=out.suppressed,
        # A comment for a rule that did not run may have its finding.
        unused=tuple(ignore for ignore in out.unused if set(ignore.rules) <= ids),
        problems=problems,
        files=content.files,
    )


def selected(config: Config) -> tuple[Rule, ...]:
    """
    Return the rules that a configuration has run.
    """
    return tuple(
        rule
        for rule in RULES
        if (rule.id.startswith(config.select) if config.select else rule.default)
        and not (config.ignore and rule.id.startswith(config.ignore))
    )


def _with_severity(finding: Finding, config: Config) -> Finding:
    severity = config.severity.get(finding.rule)
    return finding if severity is None else replace(finding, severity=severity)


def _ignored_in_file(finding: Finding, config: Config) -> bool:
    return any(
        finding.rule.startswith(rules) and fnmatch.fnmatch(finding.location.path, pattern)
        for pattern, rules in config.per_file_ignores.items()
    )
