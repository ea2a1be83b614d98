"""
WL231: Python packages without their compiled files.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Finding, Severity
from ..project import Project
from ..usage import runs_below
from .rule import Rule

_FOLLOWS = "so every cold start compiles the driver before it imports it"


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for found in project.without_bytecode:
        if runs_below(found.location, project, "python"):
            yield rule.finding(
                found.location,
                f"{found.why}, {_FOLLOWS}",
                remedy="compile them: pip without --no-compile, uv with UV_COMPILE_BYTECODE=1, and delete nothing",
            )
    for template in project.infra:
        for slim in template.slim:
            if runs_below(slim.location, project, "python"):
                yield rule.finding(
                    slim.location,
                    f"serverless-python-requirements takes compiled files out of the packages, {_FOLLOWS}",
                    remedy="set slim to false, or slimPatterns of your own that leave *.pyc and __pycache__",
                )


RULE = Rule(
    id="WL231",
    name="no-bytecode",
    summary="A function's Python packages are shipped without their compiled files.",
    practice="connect-at-init",
    severity=Severity.WARNING,
    reads=("python", "serverless"),
    why=(
        "A function's folder can't be written to on Lambda, so what is not compiled when it is packed is compiled "
        "again in every cold start. `python benchmarks/import.py` measures it: without compiled files the import of "
        "PyMongo takes three times the CPU."
    ),
    fix="Let pip or uv compile what they install for the image or the archive, for the Python version that runs it.",
    sources=(sources.AWS_ENVIRONMENT,),
    match=_match,
)
