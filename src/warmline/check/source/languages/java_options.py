"""
Java: the options that a client is constructed with, by builders and by variables that hold them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from ..language import Construction, Setting
from ..tree import Source, ancestors, definition, find, last_name, target, text

# Through so many variables and methods the options are followed back to where they are made.
_MOST_HOPS = 3

ASSIGNMENTS = frozenset({"assignment_expression"})
DECLARATIONS = frozenset({"variable_declarator", "resource"})
FUNCTIONS = frozenset({"method_declaration", "lambda_expression", "constructor_declaration"})

_BUILDER = re.compile(r"([\w.]+\.)?MongoClient(Settings|Options)\.builder|new ([\w.]+\.)?MongoClientOptions\.Builder")
_STRINGS = ("ConnectionString", "MongoClientURI")

# Of MongoClientSettings.Builder, of the builders of its parts, and of the older MongoClientOptions.Builder. Those that
# take a number and a unit are in milliseconds in a connection string.
SETTINGS = {
    "applicationName": "appName",
    "connectTimeout": "connectTimeoutMS",
    "connectionsPerHost": "maxPoolSize",
    "heartbeatFrequency": "heartbeatFrequencyMS",
    "localThreshold": "localThresholdMS",
    "maxConnecting": "maxConnecting",
    "maxConnectionIdleTime": "maxIdleTimeMS",
    "maxSize": "maxPoolSize",
    "maxWaitTime": "waitQueueTimeoutMS",
    "minConnectionsPerHost": "minPoolSize",
    "minSize": "minPoolSize",
    "readTimeout": "socketTimeoutMS",
    "requiredReplicaSetName": "replicaSet",
    "retryReads": "retryReads",
    "retryWrites": "retryWrites",
    "serverMonitoringMode": "serverMonitoringMode",
    "serverSelectionTimeout": "serverSelectionTimeoutMS",
    "socketTimeout": "socketTimeoutMS",
    "srvMaxHosts": "srvMaxHosts",
    "srvServiceName": "srvServiceName",
    "sslEnabled": "tls",
    "timeout": "timeoutMS",
}

_MILLISECONDS = {"MILLISECONDS": 1, "SECONDS": 1_000, "MINUTES": 60_000, "HOURS": 3_600_000, "DAYS": 86_400_000}

# What the first arguments of MongoCredential's methods are, and the mechanism that they stand for.
_CREDENTIALS = {
    "createCredential": (("username", "authSource", "password"), None),
    "createScramSha1Credential": (("username", "authSource", "password"), "SCRAM-SHA-1"),
    "createScramSha256Credential": (("username", "authSource", "password"), "SCRAM-SHA-256"),
    "createPlainCredential": (("username", "authSource", "password"), "PLAIN"),
    "createAwsCredential": (("username", "password"), "MONGODB-AWS"),
}

Calls = tuple[tuple[str, tuple[Node, ...]], ...]


@dataclass(frozen=True, slots=True)
class _Built:
    """
    What is called on a builder, in this order, and whether that is all.
    """

    calls: Calls = ()
    complete: bool = False


def arguments(call: Node) -> tuple[Node, ...]:
    """
    The arguments of a call.
    """
    given = call.child_by_field_name("arguments")
    return tuple(node for node in given.named_children if "comment" not in node.type) if given is not None else ()


def construction(given: tuple[Node, ...], source: Source) -> Construction:
    """
    What a client's arguments say: a connection string, settings, or the older driver's list of them.
    """
    uri: Node | None = None
    settings: list[Setting] = []
    complete = True
    for number, argument in enumerate(given):
        made = _made(argument)
        if (string := _string(argument, made)) is not None:
            uri = uri or string
            for part in arguments(made)[1:] if made.type == "object_creation_expression" else ():
                within = _built(part, source, 0)
                settings.extend(_settings(within.calls)[1] if within is not None else ())
                complete = complete and within is not None and within.complete
        elif (built := _built(argument, source, 0)) is not None:
            string, found = _settings(built.calls)
            uri = uri or string
            settings.extend(found)
            complete = complete and built.complete
        elif found := list(_credentials(argument)):
            settings.extend(found)
        elif number == 0:
            complete = False
    return Construction(uri, tuple(settings), complete)


def _made(node: Node) -> Node:
    """
    The expression that a variable holds.
    """
    for _ in range(_MOST_HOPS):
        if node.type == "field_access":
            node = node.child_by_field_name("field") or node
        if node.type != "identifier":
            break
        value = definition(node, ASSIGNMENTS | DECLARATIONS, FUNCTIONS)
        if value is None:
            break
        node = value
    return node


def _string(argument: Node, made: Node) -> Node | None:
    """
    The connection string, if the argument is one or is made of one.
    """
    if made.type == "object_creation_expression":
        given = arguments(made)
        kind = made.child_by_field_name("type")
        return given[0] if kind is not None and last_name(text(kind)) in _STRINGS and given else None
    if made.type in ("string_literal", "binary_expression"):
        return argument
    if made.type == "method_invocation":
        name = made.child_by_field_name("name")
        outer = made.child_by_field_name("object")
        read = name is not None and text(name) == "get" and outer is not None and text(outer).endswith("getenv()")
        return argument if read or (name is not None and text(name) in _TEXTS) else None
    return argument if type_of(made) in ("String", *_STRINGS) else None


# What returns a text.
_TEXTS = frozenset({"getenv", "getProperty", "format", "formatted", "getOrDefault", "orElse", "toString"})


def type_of(use: Node) -> str | None:
    """
    The type that a name is declared with in the innermost function that declares it, or else in the file.
    """
    if use.type != "identifier":
        return None
    for outer in ancestors(use):
        if outer.type in FUNCTIONS or outer.parent is None:
            for declared in find(
                outer, frozenset({"formal_parameter", "local_variable_declaration", "field_declaration"})
            ):
                name = declared.child_by_field_name("declarator") or declared
                kind = declared.child_by_field_name("type")
                if (
                    kind is not None
                    and (given := name.child_by_field_name("name")) is not None
                    and given.text == use.text
                ):
                    return last_name(text(kind))
    return None


def chain(node: Node) -> tuple[Node, Calls]:
    """
    Take ``root.a(x).b(y)`` apart.
    """
    calls: list[tuple[str, tuple[Node, ...]]] = []
    while node.type in ("method_invocation", "parenthesized_expression", "cast_expression"):
        if node.type != "method_invocation":
            node = node.child_by_field_name("value") or node.named_children[-1]
            continue
        name, outer = node.child_by_field_name("name"), node.child_by_field_name("object")
        if name is None or outer is None or _BUILDER.fullmatch(f"{text(outer)}.{text(name)}"):
            break
        calls.append((text(name), arguments(node)))
        node = outer
    return node, tuple(reversed(calls))


def _built(node: Node, source: Source, hops: int) -> _Built | None:
    root, calls = chain(node)
    if _is_builder(root):
        # A builder that begins with other settings.
        return _Built(calls, not arguments(root) and not any(name == "applySettings" for name, _ in calls))
    before: _Built | None = None
    if hops == _MOST_HOPS:
        return None
    if root.type == "identifier":
        value = definition(root, ASSIGNMENTS | DECLARATIONS, FUNCTIONS)
        before = _built(value, source, hops + 1) if value is not None else None
        if before is not None:
            before = _Built(before.calls + tuple(_statements(root)), before.complete)
    elif root.type == "method_invocation" and (returned := _returned(root, source)) is not None:
        before = _built(returned, source, hops + 1)
    return _Built(before.calls + calls, before.complete) if before is not None else None


def _is_builder(node: Node) -> bool:
    name, outer = node.child_by_field_name("name"), node.child_by_field_name("object")
    if node.type == "method_invocation" and name is not None and outer is not None:
        return _BUILDER.fullmatch(f"{text(outer)}.{text(name)}") is not None
    kind = node.child_by_field_name("type")
    return (
        node.type == "object_creation_expression"
        and kind is not None
        and _BUILDER.fullmatch(f"new {text(kind)}") is not None
    )


def _statements(variable: Node) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """
    What is called on a variable in statements of its own.
    """
    scope = next((outer for outer in ancestors(variable) if outer.type in FUNCTIONS), None)
    for statement in find(scope, frozenset({"expression_statement"})) if scope is not None else ():
        expression = statement.named_children[0]
        if expression.type == "assignment_expression":
            expression = expression.child_by_field_name("right") or expression
        root, calls = chain(expression)
        if root.type == "identifier" and text(root) == text(variable):
            yield from calls


def _returned(call: Node, source: Source) -> Node | None:
    """
    What a method of this file returns, if it has just one ``return``.
    """
    name = call.child_by_field_name("name")
    found = [
        statement
        for method in source.find(frozenset({"method_declaration"}))
        if target(method) == method.child_by_field_name("name")
        and name is not None
        and (declared := method.child_by_field_name("name")) is not None
        and declared.text == name.text
        for statement in find(method, frozenset({"return_statement"}))
        if next(outer for outer in ancestors(statement) if outer.type in FUNCTIONS) == method
    ]
    return found[0].named_children[0] if len(found) == 1 and found[0].named_children else None


def _settings(calls: Calls) -> tuple[Node | None, list[Setting]]:
    uri: Node | None = None
    found: list[Setting] = []
    for name, given in calls:
        if name == "applyConnectionString" and given:
            uri = _string(given[0], _made(given[0])) or given[0]
        elif name.startswith("applyTo") and given and given[0].type == "lambda_expression":
            for statement, values in _of_lambda(given[0]):
                found.extend(_setting(statement, values))
        elif name in ("credential", "credentialList") and given:
            found.extend(_credentials(given[0]))
        else:
            found.extend(_setting(name, given))
    return uri, found


def _setting(name: str, given: tuple[Node, ...]) -> Iterator[Setting]:
    if name in SETTINGS and given:
        unit = last_name(text(given[1])) if len(given) > 1 else "MILLISECONDS"
        # Without a factor that is known the value is not known: the unit stands for it.
        yield Setting(SETTINGS[name], given[0] if unit in _MILLISECONDS else given[-1], _MILLISECONDS.get(unit, 1))


def _of_lambda(function: Node) -> Iterator[tuple[str, tuple[Node, ...]]]:
    body = function.child_by_field_name("body")
    if body is None:
        return
    statements = body.named_children if body.type == "block" else [body]
    for statement in statements:
        inner = (
            statement.named_children[0] if statement.type in ("expression_statement", "return_statement") else statement
        )
        yield from chain(inner)[1]


def _credentials(node: Node) -> Iterator[Setting]:
    made = _made(node)
    for call in find(made, frozenset({"method_invocation"})):
        name, given = call.child_by_field_name("name"), arguments(call)
        if name is None:
            continue
        if text(name) in _CREDENTIALS:
            roles, mechanism = _CREDENTIALS[text(name)]
            yield from (Setting(role, argument) for role, argument in zip(roles, given, strict=False))
            if mechanism is not None:
                yield Setting("authMechanism", call, text=mechanism)
        elif text(name) == "withMechanismProperty" and len(given) == 2:
            yield Setting(_property(given[0]), given[1])


def _property(node: Node) -> str:
    # The key by its text, or MongoCredential.AWS_CREDENTIAL_PROVIDER_KEY.
    return text(node).strip('"') if node.type == "string_literal" else last_name(text(node))
