"""
C#: the options that a client is constructed with, by initialisers, by properties that are set and by variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from ..language import Construction, Setting
from ..tree import Source, ancestors, assigned, definition, find, last_name, target, text

# Through so many variables and methods the options are followed back to where they are made.
_MOST_HOPS = 3

ASSIGNMENTS = frozenset({"assignment_expression"})
DECLARATIONS = frozenset({"variable_declarator", "property_declaration"})
FUNCTIONS = frozenset(
    {
        "method_declaration",
        "lambda_expression",
        "anonymous_method_expression",
        "constructor_declaration",
        "local_function_statement",
        "accessor_declaration",
    }
)
CREATIONS = frozenset({"object_creation_expression", "implicit_object_creation_expression"})

# The properties of MongoClientSettings.
SETTINGS = {
    "ApplicationName": "appName",
    "ConnectTimeout": "connectTimeoutMS",
    "DirectConnection": "directConnection",
    "HeartbeatInterval": "heartbeatFrequencyMS",
    "LoadBalanced": "loadBalanced",
    "LocalThreshold": "localThresholdMS",
    "MaxConnecting": "maxConnecting",
    "MaxConnectionIdleTime": "maxIdleTimeMS",
    "MaxConnectionPoolSize": "maxPoolSize",
    "MinConnectionPoolSize": "minPoolSize",
    "ReplicaSetName": "replicaSet",
    "RetryReads": "retryReads",
    "RetryWrites": "retryWrites",
    "ServerMonitoringMode": "serverMonitoringMode",
    "ServerSelectionTimeout": "serverSelectionTimeoutMS",
    "SocketTimeout": "socketTimeoutMS",
    "SrvMaxHosts": "srvMaxHosts",
    "SrvServiceName": "srvServiceName",
    "Timeout": "timeoutMS",
    "UseTls": "tls",
    "WaitQueueTimeout": "waitQueueTimeoutMS",
}

_MILLISECONDS = {"FromMilliseconds": 1, "FromSeconds": 1_000, "FromMinutes": 60_000, "FromHours": 3_600_000}

# What makes settings or a MongoUrl of a connection string.
_OF_A_STRING = re.compile(
    r"([\w.]+\.)?(MongoClientSettings\.FromConnectionString|MongoClientSettings\.FromUrl|MongoUrl\.Create|new MongoUrl)"
)

_TEXTS = re.compile(
    r"(System\.)?(Environment\.GetEnvironmentVariable|[sS]tring\.(Format|Concat))|.*\.GetConnectionString"
)


def arguments(call: Node) -> tuple[Node, ...]:
    """
    The arguments of a call without their names.
    """
    return tuple(value for _, value in with_names(call))


def with_names(call: Node) -> Iterator[tuple[str | None, Node]]:
    """
    Yield the arguments of a call and the names that they are given by, if they are.
    """
    given = next((child for child in call.named_children if child.type == "argument_list"), None)
    for node in given.named_children if given is not None else ():
        if node.type == "argument" and node.named_children:
            name = node.child_by_field_name("name")
            yield text(name) if name is not None else None, node.named_children[-1]


def called(call: Node) -> str:
    """
    What is called or created, as it is written and without type arguments.
    """
    kind = call.child_by_field_name("function") or call.child_by_field_name("type")
    if kind is None:
        kind = declared_type(call)
    name = re.sub(r"<.*>", "", text(kind)).strip("?") if kind is not None else ""
    return f"new {name}" if call.type in CREATIONS else name


def declared_type(creation: Node) -> Node | None:
    """
    The type that ``new(…)`` stands for: of the variable, the field or the property that it is given to.
    """
    outer = creation.parent
    while outer is not None and outer.type in ("parenthesized_expression", "arrow_expression_clause"):
        outer = outer.parent
    if outer is None:
        return None
    if outer.type in DECLARATIONS:
        holder = outer if outer.type == "property_declaration" else outer.parent
        return holder.child_by_field_name("type") if holder is not None else None
    if outer.type in ASSIGNMENTS:
        left = target(outer)
        return _type_node(left) if left is not None else None
    return None


def _type_node(use: Node) -> Node | None:
    name = last_name(text(use))
    for outer in ancestors(use):
        if outer.type in FUNCTIONS or outer.parent is None:
            for declared in find(outer, frozenset({"parameter", "variable_declaration", "property_declaration"})):
                named = [declared.child_by_field_name("name"), *(target(child) for child in declared.named_children)]
                if any(found is not None and text(found) == name for found in named):
                    return declared.child_by_field_name("type")
    return None


def type_of(use: Node) -> str | None:
    """
    The type that a name is declared with.
    """
    kind = _type_node(use) if use.type == "identifier" else None
    return text(kind).strip("?") if kind is not None else None


def construction(given: tuple[Node, ...], source: Source) -> Construction:
    """
    What a client's argument says: a connection string, a ``MongoUrl`` or ``MongoClientSettings``.
    """
    if not given:
        return Construction(complete=True)
    made = _made(given[0])
    if made.type in (
        "string_literal",
        "verbatim_string_literal",
        "raw_string_literal",
        "interpolated_string_expression",
    ):
        return Construction(given[0], complete=True)
    if made.type in ("binary_expression", "invocation_expression") and _is_text(made):
        return Construction(given[0], complete=True)
    if made.type == "identifier" and type_of(made) == "string":
        return Construction(given[0], complete=True)
    return _settings(given[0], source, 0)


def _made(node: Node) -> Node:
    """
    The expression that a variable holds.
    """
    for _ in range(_MOST_HOPS):
        while node.type in ("parenthesized_expression", "arrow_expression_clause", "postfix_unary_expression"):
            node = node.named_children[0]
        if node.type == "member_access_expression" and text(node).startswith("this."):
            node = node.child_by_field_name("name") or node
        value = definition(node, ASSIGNMENTS | DECLARATIONS, FUNCTIONS) if node.type == "identifier" else None
        if value is None:
            break
        node = value
    return node


def _is_text(node: Node) -> bool:
    if node.type == "binary_expression":
        left = node.child_by_field_name("left")
        return left is not None and (left.type.endswith(("string_literal", "string_expression")) or _is_text(left))
    return node.type == "invocation_expression" and _TEXTS.fullmatch(called(node)) is not None


def _settings(argument: Node, source: Source, hops: int) -> Construction:
    made = _made(argument)
    made = _before_the_dot(made)
    if made.type == "invocation_expression" and (returned := _returned(made, source)) is not None and hops < _MOST_HOPS:
        return _settings(returned, source, hops + 1)
    what = called(made) if made.type in CREATIONS | {"invocation_expression"} else ""
    given = arguments(made)
    if _OF_A_STRING.fullmatch(what) and given:
        inner = _made(given[0])
        nested = inner.type in CREATIONS | {"invocation_expression"} and _OF_A_STRING.fullmatch(called(inner))
        uri = arguments(inner)[0] if nested and arguments(inner) else given[0]
    elif last_name(what.removeprefix("new ")) == "MongoClientSettings" and made.type in CREATIONS and not given:
        uri = None
    else:
        return Construction()
    properties = (*_initialised(made), *_set_on(argument))
    settings = tuple(setting for name, value in properties for setting in _setting(name, value))
    # What it is given may configure all there is.
    complete = not any(name == "ClusterConfigurator" for name, _ in properties)
    return Construction(uri, settings, complete)


def _before_the_dot(node: Node) -> Node:
    # A copy of settings has what they have.
    function = node.child_by_field_name("function")
    if node.type != "invocation_expression" or function is None or function.type != "member_access_expression":
        return node
    name, holder = function.child_by_field_name("name"), function.child_by_field_name("expression")
    copied = name is not None and text(name) in ("Clone", "Freeze", "FrozenCopy")
    return _made(holder) if copied and holder is not None else node


def _returned(call: Node, source: Source) -> Node | None:
    """
    What a method of this file returns, if it has just one ``return``.
    """
    name = last_name(called(call))
    found: list[Node] = []
    for method in source.find(frozenset({"method_declaration", "local_function_statement"})):
        named, body = method.child_by_field_name("name"), method.child_by_field_name("body")
        if named is None or text(named) != name or body is None:
            continue
        if body.type == "arrow_expression_clause":
            found.append(body.named_children[0])
        else:
            found.extend(
                statement.named_children[0]
                for statement in find(body, frozenset({"return_statement"}))
                if statement.named_children and next(o for o in ancestors(statement) if o.type in FUNCTIONS) == method
            )
    return found[0] if len(found) == 1 else None


def _initialised(creation: Node) -> Iterator[tuple[str, Node]]:
    initializer = creation.child_by_field_name("initializer")
    if initializer is None:
        initializer = next((node for node in creation.named_children if node.type == "initializer_expression"), None)
    for node in initializer.named_children if initializer is not None else ():
        if node.type in ASSIGNMENTS and (left := target(node)) is not None and (value := assigned(node)) is not None:
            yield text(left), value


def _set_on(argument: Node) -> Iterator[tuple[str, Node]]:
    """
    The properties that are set on a variable, wherever it is used in the functions around.
    """
    scopes = [outer for outer in ancestors(argument) if outer.type in FUNCTIONS or outer.parent is None]
    if argument.type != "identifier" or not scopes:
        return
    # Outside of functions: top-level statements, and fields that a constructor sets.
    for node in find(scopes[0], ASSIGNMENTS):
        left, value = target(node), assigned(node)
        if left is None or value is None or left.type != "member_access_expression":
            continue
        holder, name = left.child_by_field_name("expression"), left.child_by_field_name("name")
        if holder is not None and name is not None and last_name(text(holder)) == text(argument):
            yield text(name), value


def _setting(name: str, value: Node) -> Iterator[Setting]:
    if name == "Credential":
        yield from _credential(value)
    elif name in SETTINGS:
        made = _made(value)
        what = called(made) if made.type in CREATIONS | {"invocation_expression"} else text(made)
        given = arguments(made)
        if last_name(what) in _MILLISECONDS and given:
            yield Setting(SETTINGS[name], given[0], _MILLISECONDS[last_name(what)])
        elif (milliseconds := _span(what, given)) is not None:
            yield Setting(SETTINGS[name], value, text=milliseconds)
        else:
            yield Setting(SETTINGS[name], value)


def _span(what: str, given: tuple[Node, ...]) -> str | None:
    """
    The milliseconds of ``TimeSpan.Zero`` and ``new TimeSpan(hours, minutes, seconds)``.
    """
    if what.endswith("TimeSpan.Zero"):
        return "0"
    numbers = [int(text(node)) for node in given if text(node).isdecimal()]
    if what.endswith("new TimeSpan") and len(numbers) == len(given) == 3:
        hours, minutes, seconds = numbers
        return str(((hours * 60 + minutes) * 60 + seconds) * 1000)
    return None


def _credential(node: Node) -> Iterator[Setting]:
    made = _made(node)
    holder = made.child_by_field_name("function")
    holder = holder.child_by_field_name("expression") if holder is not None else None
    if holder is not None and holder.type == "identifier" and _made(holder) != holder:
        # As in credential.WithMechanismProperty(…).
        yield from _credential(holder)
    for call in find(made, CREATIONS | {"invocation_expression"}):
        what, given = last_name(called(call).removeprefix("new ")), arguments(call)
        roles: tuple[str, ...] = ()
        match what:
            case "CreateCredential" | "CreatePlainCredential" | "CreateGssapiCredential":
                roles = (
                    ("authSource", "username", "password")[-len(given) :]
                    if len(given) < 3
                    else ("authSource", "username", "password")
                )
            case "MongoExternalIdentity" | "MongoInternalIdentity":
                roles = ("username",) if len(given) == 1 else ("authSource", "username")
            case "PasswordEvidence":
                roles = ("password",)
            case "MongoCredential":
                roles = ("authMechanism",)
            case "WithMechanismProperty" if len(given) == 2:
                yield Setting(text(given[0]).strip('"'), given[1])
        yield from (Setting(role, argument) for role, argument in zip(roles, given, strict=False))
