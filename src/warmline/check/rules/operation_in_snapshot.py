"""
WL251: an operation before a snapshot, whose server session every restored environment then has.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Finding, Severity, Step
from ..project import Project
from ..source.facts import Call, CodeFacts, Lifetime
from ..usage import code_of
from .rule import Rule

# What takes a database or a collection, and asks no server.
_LOCAL = frozenset({"close", "get_collection", "get_database", "get_default_database", "with_options"})

# What is there to start over after a restore.
_HOOKS = frozenset({"snapshot_restore_py", "warmline"})


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for template in project.infra:
        for function in template.functions:
            code = code_of(function, project)
            if not function.snapstart or any(_has_hooks(facts) for facts in code):
                continue
            for facts in code:
                for call in _operations(facts):
                    yield rule.finding(
                        call.location,
                        f"{call.text} runs before the snapshot of {function.name}: every restored environment has its "
                        "server session, and acknowledged writes are lost",
                        remedy="move it into the handler, or close the client before the snapshot by "
                        "snapshot_restore_py's hooks",
                        path=(Step(function.name, function.location),),
                    )


def _has_hooks(facts: CodeFacts) -> bool:
    return any(found.module.partition(".")[0] in _HOOKS for found in facts.imports)


def _operations(facts: CodeFacts) -> Iterator[Call]:
    """
    The operations at module level on clients that are there.
    """
    if facts.language != "python":
        return
    clients = {
        client.name
        for client in facts.clients
        if client.driver == "pymongo" and client.lifetime is Lifetime.ONCE and client.function is None
    }
    for call in facts.calls:
        if call.function is None and call.receiver is not None and call.name not in _LOCAL:
            root = call.receiver.partition(".")[0].partition("[")[0]
            if root in clients:
                yield call


RULE = Rule(
    id="WL251",
    name="operation-in-snapshot",
    summary="A function with SnapStart uses its client before the snapshot is taken.",
    practice="snapstart",
    severity=Severity.ERROR,
    reads=("sam", "cloudformation", "serverless", "terraform"),
    why=(
        "An operation leaves a server session in the client, and every environment that is restored from the snapshot "
        "takes its first write's session from there. The server knows a retryable write by its session and number, so "
        "it takes the writes of all environments but one for repetitions: acknowledged, and not done, without "
        "an error. The first operation also waits on a connection that is dead since the snapshot."
    ),
    fix=(
        "Ask the server nothing before the handler, or close the client in a hook that `snapshot_restore_py` runs "
        "before the snapshot and make it anew after the restore. `warmline.connect` does that by itself."
    ),
    sources=(sources.AWS_SNAPSTART_UNIQUENESS, sources.SPEC_RETRYABLE_WRITES),
    match=_match,
)
