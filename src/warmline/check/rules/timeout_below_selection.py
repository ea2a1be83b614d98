"""
WL201: Lambda ends the invocation before the driver can say what is wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from warmline.facts import sources

from ..finding import Confidence, Finding, Severity, Step
from ..infra.facts import Function
from ..location import Location
from ..project import Project
from ..source.facts import Client, CodeFacts
from ..uri import client_options, uri_options, uri_options_known
from ..usage import code_of
from ..values import Value
from .functions import certainty, named
from .rule import Rule

# https://github.com/mongodb/specifications/blob/master/source/server-selection/server-selection.md
_DEFAULT_SECONDS = 30.0

_SELECTION = "serverSelectionTimeoutMS"

# Long enough for an election, as a rule; half of a timeout that is shorter than twice of it.
_USUAL_MS = 5000.0

# Options and calls that bound an operation in another way.
_BOUNDING_OPTIONS = frozenset({"timeoutMS"})
_BOUNDING_CALLS = frozenset(
    {
        "pymongo.timeout",
        "asyncio.timeout",
        "asyncio.wait_for",
        "Promise.race",
        "context.WithTimeout",
        "context.WithDeadline",
    }
)


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts in project.infra:
        # Of the functions that have one client, those without a timeout of their own are one finding.
        found: dict[tuple[Location | None, Location], list[tuple[Function, _Early]]] = defaultdict(list)
        for function in facts.functions:
            early = _unbounded(function, code_of(function, project))
            if early is not None:
                timeout = function.timeout_seconds
                found[timeout.location if timeout is not None else None, early.client.location].append(
                    (function, early)
                )
        for (place, _), functions in found.items():
            function, early = functions[0]
            timeout = function.timeout_seconds
            how = "the default timeout" if timeout is None else "a timeout"
            yield rule.finding(
                place or function.location,
                f"{named([each for each, _ in functions])}: {how} of {_seconds(function):g} s ends the invocation "
                f"before the driver gives up looking for a server after {early.selection_seconds:g} s: the log says "
                "'Task timed out' and not why",
                remedy=f"set {_SELECTION} well below the timeout, to {_below(_seconds(function)):.0f} say",
                confidence=early.confidence if timeout is None else min(early.confidence, certainty(timeout)),
                path=(
                    Step(function.name, function.location),
                    Step(early.client.call, early.client.location),
                ),
            )


@dataclass(frozen=True, slots=True)
class _Early:
    """
    A client that looks for a server as long as the invocation may take, or longer.
    """

    client: Client
    selection_seconds: float
    confidence: Confidence


def _unbounded(function: Function, code: tuple[CodeFacts, ...]) -> _Early | None:
    """
    The client of the function that looks longest for a server, if that is too long.
    """
    timeout = _seconds(function)
    if timeout is None or any(_bounded(facts) for facts in code):
        return None
    found = [(client, _selection(client, function)) for facts in code for client in facts.clients]
    # One of which nothing is known may be the one that is used.
    known = [(client, selection) for client, selection in found if selection is not None]
    if not known or len(known) < len(found):
        return None
    client, (seconds, confidence) = max(known, key=lambda each: each[1][0])
    return _Early(client, seconds, confidence) if timeout <= seconds else None


def _selection(client: Client, function: Function) -> tuple[float, Confidence] | None:
    options = dict(client_options(client))
    confidence = Confidence.HIGH
    uri = client.uri
    if uri is not None and uri.text is None:
        uri = _variable(uri, function)
        options = {**({option.name: option.value for option in uri_options(uri)} if uri is not None else {}), **options}
    if not client.options_known or options.keys() & _BOUNDING_OPTIONS:
        return None
    if uri is None or uri.text is None:
        # Few connection strings have it, and nobody sees this one.
        confidence = Confidence.MEDIUM
    elif not uri_options_known(uri):
        return None
    if _SELECTION not in options:
        return _DEFAULT_SECONDS, confidence
    milliseconds = options[_SELECTION].number
    return (milliseconds / 1000, confidence) if milliseconds is not None else None


def _variable(uri: Value, function: Function) -> Value | None:
    """
    The connection string that the template gives in an environment variable.
    """
    names = set(uri.environment)
    return next((variable.value for variable in function.variables if variable.name in names), None)


def _bounded(facts: CodeFacts) -> bool:
    if any(found.module == "warmline" or found.name == "warmline" for found in facts.imports):
        return True
    return any(call.text in _BOUNDING_CALLS for call in facts.calls)


def _below(timeout_seconds: float | None) -> float:
    return min(_USUAL_MS, (timeout_seconds or 0) * 1000 / 2)


def _seconds(function: Function) -> float | None:
    value = function.timeout_seconds
    return float(function.default_timeout_seconds) if value is None else value.number


RULE = Rule(
    id="WL201",
    name="timeout-below-selection",
    summary="A function's timeout is no longer than the driver looks for a server.",
    practice="deadline",
    severity=Severity.WARNING,
    reads=("sam", "cloudformation", "serverless", "terraform"),
    why=(
        "Drivers look for a server for 30 s, and a function's timeout is 3 s by default. When no server can be "
        "reached, Lambda ends the invocation first: the log says 'Task timed out', and not that the access list "
        "refuses the function or that the name can't be resolved. Lambda also resets the environment, so the next "
        "invocation is a cold start."
    ),
    fix="Set serverSelectionTimeoutMS below the timeout; in Python `warmline.handler` bounds each operation by it.",
    sources=(sources.AWS_TIMEOUT, sources.SPEC_TIMEOUT, sources.AWS_VPC_TIMEOUTS),
    match=_match,
)
