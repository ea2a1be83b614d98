"""
WL121: a Node.js handler that answers by its callback, and leaves Lambda waiting for the driver's connections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Confidence, Edit, Finding, Fix, Severity
from ..project import Project
from ..source.facts import Call, CodeFacts, EntryPoint
from .rule import Rule

_DRIVERS = ("mongodb", "mongoose")

# What a chain of calls begins with.
_HEAD = re.compile(r"[^\w$]")

_LANGUAGES = ("javascript", "typescript")

_FLAG = "callbackWaitsForEmptyEventLoop"

# Middy's middleware that sets it.
_MIDDLEWARE = ("doNotWaitForEmptyEventLoop", "@middy/do-not-wait-for-empty-event-loop")

# The third parameter is the callback.
_CALLBACK = 2

# The first of the runtimes that call no handler with a callback.
_FIRST_WITHOUT_CALLBACKS = 24


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts in (*project.code, *project.handlers):
        if facts.language not in _LANGUAGES:
            continue
        reached = project.modules.reached_from(facts.path)
        if not any(other.clients for other in reached):
            continue
        unset = not any(_set_in(other) for other in reached)
        refused = _refused_by(facts, project)
        for entry in facts.entry_points:
            if not _answers_by_callback(entry, facts) or not _uses_client(entry, facts, project):
                continue
            confidence = Confidence.HIGH if facts.clients else Confidence.MEDIUM
            if refused is not None:
                yield rule.finding(
                    entry.location,
                    f"{entry.name} answers by its callback, which Lambda does not call on {refused}",
                    remedy="make it async and return the result",
                    confidence=confidence,
                )
            elif unset:
                yield rule.finding(
                    entry.location,
                    f"{entry.name} answers by its callback and does not set {_FLAG} to false: Lambda sends the answer "
                    "only when no connection to MongoDB is open any more",
                    remedy=f"make it async and return the result, or begin it with context.{_FLAG} = false",
                    confidence=confidence,
                    fix=_begun(entry),
                )


def _begun(entry: EntryPoint) -> Fix | None:
    context = _name(entry.parameters[1])
    if entry.body is None or not context.isidentifier():
        return None
    indent = " " * (entry.body.column - 1)
    line = f"{context}.{_FLAG} = false;\n{indent}"
    return Fix(f"Set {_FLAG} to false", (Edit(entry.body, line),))


def _answers_by_callback(entry: EntryPoint, facts: CodeFacts) -> bool:
    if entry.asynchronous or len(entry.parameters) <= _CALLBACK:
        return False
    if entry.parameters[0].lstrip("_").startswith("req"):
        # A web framework's (request, response, next).
        return False
    callback = _name(entry.parameters[_CALLBACK])
    return any(
        call.name == callback or any(callback in argument.parts for argument in call.arguments)
        for call in facts.calls
        if call.function == entry.name
    )


def _uses_client(entry: EntryPoint, facts: CodeFacts, project: Project) -> bool:
    """
    Whether the handler, or a function of its file that it calls, has to do with a client, here or in what it imports.
    """
    if any(client.function is None and client.call.endswith("onnect") for client in facts.clients):
        # It is connected when the module is loaded.
        return True
    telling = {client.name for client in facts.clients} | {
        imported.name
        for imported in facts.imports
        if imported.module in _DRIVERS or next(project.modules.meant(imported, facts), None) is not None
    }
    short = {name.rpartition(".")[2]: name for name in facts.functions}
    reached, waiting = {entry.name}, [entry.name]
    while waiting:
        function = waiting.pop()
        if any(client.function == function for client in facts.clients):
            return True
        for call in facts.calls:
            if call.function != function:
                continue
            heads = {_HEAD.split(text)[0] for text in (call.text.removeprefix("new "), *_parts(call))}
            if heads & telling:
                return True
            called = short.get(call.name)
            if called is not None and called not in reached:
                reached.add(called)
                waiting.append(called)
    return False


def _parts(call: Call) -> Iterator[str]:
    for argument in call.arguments:
        yield from argument.parts


def _name(parameter: str) -> str:
    # Without TypeScript's type and a default.
    return parameter.partition(":")[0].partition("=")[0].strip(" ?")


def _set_in(facts: CodeFacts) -> bool:
    return (
        any(_FLAG in assignment.target and assignment.value.text == "false" for assignment in facts.assignments)
        or any(option.name == _FLAG for call in facts.calls for option in call.keywords)
        or any(imported.name in _MIDDLEWARE or imported.module in _MIDDLEWARE for imported in facts.imports)
        or any(call.name in _MIDDLEWARE for call in facts.calls)
    )


def _refused_by(facts: CodeFacts, project: Project) -> str | None:
    """
    Return the runtime of a function with this code that calls no handler with a callback.
    """
    for template in project.infra:
        for function in template.functions:
            runtime = function.runtime.text if function.runtime is not None else None
            if function.code_path != facts.path or runtime is None or not runtime.startswith("nodejs"):
                continue
            version = runtime.removeprefix("nodejs").partition(".")[0]
            if version.isdigit() and int(version) >= _FIRST_WITHOUT_CALLBACKS:
                return runtime
    return None


RULE = Rule(
    id="WL121",
    name="callback-waits-for-event-loop",
    summary="A Node.js handler that answers by a callback waits until no connection to MongoDB is open.",
    practice="event-loop",
    severity=Severity.ERROR,
    reads=("javascript", "typescript"),
    why=(
        "Lambda sends what a handler gives its callback only when the event loop is empty, and an open connection to "
        "MongoDB keeps it from ever being so: the function runs into its timeout, or has to close the client that the "
        "next invocation would reuse. Async handlers are not concerned. From Node.js 24 on Lambda calls no handler "
        "with a callback."
    ),
    fix="Make the handler async; or set context.callbackWaitsForEmptyEventLoop to false in its first line.",
    sources=(sources.ATLAS_LAMBDA, sources.AWS_NODEJS_HANDLER, sources.AWS_NODEJS_24),
    match=_match,
)
