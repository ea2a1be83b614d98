"""
WL166: a secret that is fetched in every invocation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Confidence, Finding, Severity
from ..project import Project
from .fetches import service, values
from .rule import Rule

_NAME = re.compile(r"[\w$]+")

# In Go it is the first parameter.
_CONTEXT = frozenset({"ctx", "context", "Context"})


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts in (*project.code, *project.handlers):
        with_client = any(other.clients for other in project.modules.reached_from(facts.path))
        if not with_client and facts in project.handlers:
            continue
        events = {
            name
            for entry in facts.entry_points
            for parameter in entry.parameters[:1]
            for name in _NAME.findall(parameter)
        } - _CONTEXT
        for call in facts.calls:
            if not call.path or (fetched_from := service(call)) is None:
                continue
            if any(events & set(value.names) for value in values(call)):
                # Which one it is depends on the event.
                continue
            yield rule.finding(
                call.location,
                f"{call.text} asks {fetched_from} in every invocation: each waits for it, and its quota and price "
                "count each",
                remedy="fetch it during Init, or keep it in a name that outlives the call",
                confidence=Confidence.HIGH if with_client else Confidence.MEDIUM,
                path=call.path,
            )


RULE = Rule(
    id="WL166",
    name="secret-fetched-per-invocation",
    summary="A secret is fetched in every invocation.",
    practice="iam-auth",
    severity=Severity.WARNING,
    reads=("python", "javascript", "typescript", "go", "java", "csharp", "ruby", "rust"),
    why=(
        "A call of Secrets Manager, Parameter Store or KMS is a request over TLS that every invocation then waits for, "
        "though the client that needs the secret is to be constructed once. It costs money, and under load its quota "
        "ends: the function then fails while the database is well."
    ),
    fix=(
        "Fetch the secret at module level or behind the guard that constructs the client; or log in with the "
        "function's IAM role, and there is none. `warmline.connect` takes a reference to a secret and fetches it "
        "again after a rotation."
    ),
    sources=(sources.AWS_ENVIRONMENT, sources.AWS_SECRETS),
    match=_match,
)
