"""
WL101: a client that is constructed for every invocation.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Confidence, Edit, Finding, Fix, Severity
from ..project import Project
from ..source.facts import Lifetime, Move
from .rule import Rule


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts in project.code:
        for client in facts.clients:
            if client.lifetime is not Lifetime.PER_INVOCATION:
                continue
            again = "is called" if client.reconnects else "constructs a client"
            handler = client.path[0].text
            if client.across_files:
                way = f"{handler} in {client.path[0].location.path} calls {client.function}"
            else:
                way = (
                    f"in the handler {handler}" if client.function == handler else f"{handler} calls {client.function}"
                )
            yield rule.finding(
                client.location,
                f"{client.call} {again} in every invocation: {way}",
                remedy="construct it once, at module level or behind a guard on a name that outlives the call",
                confidence=Confidence.MEDIUM if client.across_files else Confidence.HIGH,
                # It keeps its first connections; what is left is a check of them in each call.
                severity=Severity.WARNING if client.reconnects else None,
                path=client.path,
                fix=_moved(client.move) if client.move is not None else None,
            )


def _moved(move: Move) -> Fix:
    return Fix("Move the client to module level", (Edit(move.before, move.statement), Edit(move.lines, "")))


RULE = Rule(
    id="WL101",
    name="client-per-invocation",
    summary="A client is constructed in every invocation.",
    practice="reuse-client",
    severity=Severity.ERROR,
    reads=("python", "javascript", "typescript", "go", "java", "csharp", "ruby", "rust"),
    why=(
        "Every construction opens new connections and starts new monitors. A client that stays referenced keeps "
        "them, so the cluster runs out of connections; one that does not still makes every invocation wait for DNS, "
        "TCP, TLS and authentication."
    ),
    fix="Construct the client at module level, so that an execution environment has one and reuses it.",
    sources=(sources.ATLAS_LAMBDA, sources.AWS_ENVIRONMENT),
    match=_match,
)
