"""
WL231: Python packages without their compiled files.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Finding, Severity
from ..location import Location
from ..project import Project
from ..usage import in_functions
from .rule import Rule

_FOLLOWS = "so every cold start compiles the driver before it imports it"


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for found in project.without_bytecode:
        if _in_function(found.location, project):
            yield rule.finding(
                found.location,
                f"{found.why}, {_FOLLOWS}",
                remedy="compile them: pip without --no-compile, uv with UV_COMPILE_BYTECODE=1, and delete nothing",
            )
    for template in project.infra:
        for slim in template.slim:
            if _in_function(slim.location, project):
                yield rule.finding(
                    slim.location,
                    f"serverless-python-requirements takes compiled files out of the packages, {_FOLLOWS}",
                    remedy="set slim to false, or slimPatterns of your own that leave *.pyc and __pycache__",
                )


def _in_function(location: Location, project: Project) -> bool:
    """
    Whether Python code with a client that runs in a function stands at or below the file.
    """
    folder = posixpath.dirname(location.path)
    below = f"{folder}/" if folder else ""
    used = in_functions(project)
    return any(
        facts.path in used and facts.clients and facts.language == "python" and facts.path.startswith(below)
        for facts in project.code
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
