"""
WL111: an event loop for every invocation, and an asynchronous client that outlives it.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Confidence, Finding, Severity, Step
from ..project import Project
from ..source.facts import Call, Client, CodeFacts, Lifetime
from .rule import Rule

# What makes a new loop each time it is called.
_LOOPS = frozenset({"asyncio.run", "asyncio.new_event_loop", "asyncio.Runner", "anyio.run"})

_DRIVERS = frozenset({"pymongo", "motor", "warmline"})


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts in project.code:
        if facts.language != "python":
            continue
        loops = [call for call in facts.calls if call.path and _resolved(call, facts) in _LOOPS]
        if not loops:
            continue
        for other in project.modules.reached_from(facts.path):
            client = next((client for client in other.clients if _kept(client)), None)
            if client is None:
                continue
            for call in loops:
                yield rule.finding(
                    call.location,
                    f"{call.text}() makes a new event loop in every invocation, and {client.call} belongs to the "
                    "first one: from the second invocation on its operations fail",
                    remedy="keep one loop for the environment: an `async def` handler with warmline's @handler",
                    confidence=Confidence.HIGH if other is facts else Confidence.MEDIUM,
                    path=(*call.path, Step("the client", client.location)),
                )
            break


def _kept(client: Client) -> bool:
    return client.asynchronous and client.lifetime is Lifetime.ONCE and client.driver in _DRIVERS


def _resolved(call: Call, facts: CodeFacts) -> str:
    """
    What is called, with the module that it comes from.
    """
    head, separator, rest = call.text.partition(".")
    for imported in facts.imports:
        if imported.name == head:
            whole = imported.module if imported.imported is None else f"{imported.module}.{imported.imported}"
            return f"{whole}{separator}{rest}"
    return call.text


RULE = Rule(
    id="WL111",
    name="loop-per-invocation",
    summary="Every invocation has an event loop of its own, while an asynchronous client outlives it.",
    practice="one-loop",
    severity=Severity.ERROR,
    reads=("python",),
    why=(
        "An asynchronous client belongs to the event loop of its first operation, and asyncio.run() closes that at the "
        "end of the invocation, so the next one fails. A client that is constructed in each invocation does not fail, "
        "and opens its connections anew each time."
    ),
    fix="Write the handler as `async def` with warmline's `@handler`, which runs it in the environment's one loop.",
    sources=(sources.PYMONGO_ONE_LOOP,),
    match=_match,
)
