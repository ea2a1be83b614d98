"""
WL102: a client that outlives the invocation and is closed in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Confidence, Finding, Severity, Step
from ..project import Project
from ..source.facts import Assignment, Call, Client, CodeFacts, Lifetime
from ..source.languages import language_of
from .rule import Rule

# What a name stands in when it is used: this.client, (*client).clone().
_AROUND = re.compile(r"^[(*&\s]*(await\s+)?(this[.:]|self\.(?=\w+$))?|[)!]|\.(clone|as_ref|await|get|unwrap)\b(\(\))?")

_NOTHING = ("null", "undefined", "nil", "None")


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts in project.code:
        kept = [client for client in facts.clients if client.lifetime is Lifetime.ONCE]
        language = language_of(facts.path)
        if not kept or language is None:
            continue
        for call in facts.calls:
            if not call.path or call.name not in language.closers:
                continue
            client = next((client for client in kept if _closes(call, client, facts)), None)
            if client is None or _given_up(call, facts):
                continue
            yield rule.finding(
                call.location,
                f"{call.text} closes a client that outlives the invocation: the next one {_next(client)}",
                remedy="leave it open: it is closed when the execution environment ends",
                confidence=Confidence.HIGH,
                path=(*call.path, Step("the client that it closes", client.location)),
            )


def _closes(call: Call, client: Client, facts: CodeFacts) -> bool:
    """
    Whether a call closes this client: by the name that keeps it, by a local name for it, or by its package.
    """
    if client.driver in ("mongoose", "mongoengine"):
        holder = (call.receiver or client.driver).removesuffix(".connection")
        imported = {found.name for found in facts.imports if found.module.partition(".")[0] == client.driver}
        named = holder in imported if call.receiver else call.name in imported
        if named and "createConnection" not in client.call:
            return True
    if call.receiver is None:
        return False
    receiver = _bare(call.receiver)
    local = [
        assignment
        for assignment in facts.assignments
        if receiver in _names(assignment.target) and assignment.function == call.function is not None
    ]
    if local:
        return any(_gives(assignment, client, facts) for assignment in local)
    lives = client.function is None or client.outlives
    same = [other for other in facts.clients if other.name is not None and receiver in _names(other.name)]
    return lives and client in same and all(other.lifetime is Lifetime.ONCE for other in same)


def _gives(assignment: Assignment, client: Client, facts: CodeFacts) -> bool:
    at, where = assignment.value.location, client.location
    if at.start <= where.start and where.end <= at.end:
        return True
    # const client = await connect(), where connect() keeps what it returns.
    short = (client.function or "").rpartition(".")[2]
    return client.outlives and short != "" and assignment.value.names == (short,) and short in facts.functions


def _given_up(call: Call, facts: CodeFacts) -> bool:
    """
    Whether the name is emptied in the same function, so that the next invocation constructs another client.
    """
    receiver = _bare(call.receiver or "")
    return any(
        receiver in _names(assignment.target)
        and assignment.function == call.function
        and (assignment.value.text in _NOTHING)
        for assignment in facts.assignments
    )


def _names(written: str) -> set[str]:
    return {_bare(name) for name in written.split(",")}


def _bare(written: str) -> str:
    return _AROUND.sub("", written).strip()


def _next(client: Client) -> str:
    if client.driver in ("pymongo", "warmline", "flask-pymongo"):
        return "fails with InvalidOperation"
    return "fails or has to connect anew"


RULE = Rule(
    id="WL102",
    name="client-closed-in-handler",
    summary="A client that outlives the invocation is closed in it.",
    practice="reuse-client",
    severity=Severity.ERROR,
    reads=("python", "javascript", "typescript", "go", "java", "csharp", "ruby", "rust"),
    why=(
        "What is closed is the client that the next warm invocation would use. PyMongo 4 and later raises "
        "InvalidOperation then; where a driver connects anew instead, every invocation waits for DNS, TCP, TLS and "
        "authentication."
    ),
    fix="Leave the client open. It is closed when the execution environment ends, by warmline or by the server.",
    sources=(sources.ATLAS_LAMBDA, sources.PYMONGO_CLIENT),
    match=_match,
)
