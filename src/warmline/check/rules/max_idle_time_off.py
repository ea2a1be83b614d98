"""
WL142: an idle time that does not do what it is for.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Finding, Severity
from ..project import Project
from ..uri import client_options
from ..values import Value
from .options import MINUTE_OF_IDLING, clients, sure
from .rule import Rule

# NAT gateways and load balancers forget a flow that was idle for 350 s.
_MOST_MS = 300_000
_LEAST_MS = 1000


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts, client, confidence in clients(project):
        value = client_options(client).get("maxIdleTimeMS")
        if client.driver == "warmline" or value is None or (wrong := _wrong(value)) is None:
            continue
        yield rule.finding(
            value.location,
            f"maxIdleTimeMS is {wrong}",
            remedy=f"set a minute: {MINUTE_OF_IDLING[facts.language]}, or maxIdleTimeMS=60000 in the connection string",
            confidence=sure(value, confidence),
        )


def _wrong(value: Value) -> str | None:
    milliseconds = 0 if value.text == "null" else value.number
    if milliseconds is None or _LEAST_MS <= milliseconds <= _MOST_MS:
        return None
    if milliseconds <= 0:
        return f"{value.text}: connections are used again however long they were idle, also after a freeze"
    if milliseconds < _LEAST_MS:
        return f"{milliseconds:g} ms: a connection is closed before the next invocation can use it"
    return f"{milliseconds / 1000:g} s: NAT gateways and load balancers forget a connection that was idle for 350 s"


RULE = Rule(
    id="WL142",
    name="max-idle-time-off",
    summary="A client's maxIdleTimeMS is none, longer than the network keeps an idle connection, or under a second.",
    practice="idle-time",
    severity=Severity.WARNING,
    reads=("python", "javascript", "typescript", "go", "java", "csharp", "ruby", "rust"),
    why=(
        "The option is there so that no connection is used whose path was lost while the environment was frozen. NAT "
        "gateways and Network Load Balancers forget a flow after 350 s without a packet, so a longer time lets lost "
        "connections through: in the lab's experiment `thaw` the first operation on one took 20 s. With less than a "
        "second, connections are opened and authenticated again between invocations that follow each other: one with "
        "each invocation in the lab's experiment `idle-time`. PyMongo refuses 0."
    ),
    fix="Set `maxIdleTimeMS=60000`. The unit of connection strings, PyMongo and Node.js is milliseconds.",
    sources=(sources.ATLAS_LAMBDA, sources.SPEC_POOLING, sources.AWS_NAT_GATEWAY, sources.AWS_IDLE_FLOWS),
    match=_match,
)
