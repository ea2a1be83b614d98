"""
WL151: connections that are kept open whether they are used or not.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Finding, Severity
from ..project import Project
from ..uri import client_options
from .options import clients, sure
from .rule import Rule

_MEMBERS = 3


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for _, client, confidence in clients(project):
        value = client_options(client).get("minPoolSize")
        if value is None or (size := value.number) is None or size <= 0:
            continue
        yield rule.finding(
            value.location,
            f"minPoolSize is {size:g}, for every member: {_MEMBERS + _MEMBERS * size:g} connections per environment "
            f"on a replica set of three, where {_MEMBERS + 1} would do",
            remedy="leave minPoolSize at 0: the pool opens a connection when one is needed",
            confidence=sure(value, confidence),
        )


RULE = Rule(
    id="WL151",
    name="min-pool-size",
    summary="A client keeps connections open to every member, used or not.",
    practice="pool-size",
    severity=Severity.WARNING,
    reads=("python", "javascript", "typescript", "go", "java", "csharp", "ruby", "rust"),
    why=(
        "An environment serves one request at a time and needs one connection for it, which the pool opens when it is "
        "first needed. `minPoolSize` counts for every member of the replica set, the secondaries too: on three members "
        "an environment holds 6 connections with `minPoolSize=1` instead of 4, monitors included, and in the lab's "
        "experiment `pool-size` it held 18 with 5. "
        "Times the number of environments that is what the cluster has to hold."
    ),
    fix="Leave `minPoolSize` out. To connect before the first request, connect while the environment starts.",
    sources=(sources.SPEC_POOLING, sources.SPEC_MONITORING),
    match=_match,
)
