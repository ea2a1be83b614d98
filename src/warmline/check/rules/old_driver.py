"""
WL232: a driver that does not know that it runs on Lambda.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources
from warmline.facts.drivers import DRIVERS

from ..finding import Confidence, Finding, Severity
from ..project import Project
from ..usage import runs_below
from .rule import Rule

_ECMASCRIPT = ("javascript", "typescript")


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    first = {(driver.language, driver.package): driver.polls_since for driver in DRIVERS}
    for package in project.packages:
        since = first[package.language, package.name]
        languages = _ECMASCRIPT if package.language == "javascript" else (package.language,)
        if package.newest < since and runs_below(package.location, project, *languages):
            yield rule.finding(
                package.location,
                f"{package.name} {package.version} streams from its servers on Lambda: a second connection to every "
                "member, and a monitor that hangs after a thaw",
                remedy=f"require {package.name} {since[0]}.{since[1]} or later",
                confidence=Confidence.HIGH,
            )


RULE = Rule(
    id="WL232",
    name="old-driver",
    summary="A driver is so old that it does not know that it runs on Lambda.",
    practice="thaw",
    severity=Severity.WARNING,
    reads=("python", "javascript", "go"),
    why=(
        "Since 2023 drivers poll their servers on Lambda, over one connection to each. Before, they streamed: two "
        "connections to every member, and after a freeze a monitor that waits for the answer to a question from before "
        "it. How long an operation then waits the lab's experiment `thaw` measures, with a monitor that polls: 20 s "
        "where the old connections are lost."
    ),
    fix="Require a version that sets `serverMonitoringMode` to `auto`: PyMongo 4.5, Node's driver 6.3, Go's 1.13.",
    sources=(sources.SPEC_MONITORING,),
    match=_match,
)
