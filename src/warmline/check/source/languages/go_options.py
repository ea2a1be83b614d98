"""
Go: the options that a client of the official driver is constructed with, by chains of setters and by variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from ..language import Construction, Setting
from ..tree import Source, ancestors, find, last_name, text

# Through so many variables and functions the options are followed back to where they are made.
_MOST_HOPS = 3

_MODULE = re.compile(r'(\w+)?\s*"go\.mongodb\.org/mongo-driver/(?:v2/)?mongo/options"')

_FUNCTIONS = frozenset({"function_declaration", "method_declaration", "func_literal"})

SETTINGS = {
    "SetAppName": "appName",
    "SetConnectTimeout": "connectTimeoutMS",
    "SetDirect": "directConnection",
    "SetHeartbeatInterval": "heartbeatFrequencyMS",
    "SetLoadBalanced": "loadBalanced",
    "SetLocalThreshold": "localThresholdMS",
    "SetMaxConnecting": "maxConnecting",
    "SetMaxConnIdleTime": "maxIdleTimeMS",
    "SetMaxPoolSize": "maxPoolSize",
    "SetMinPoolSize": "minPoolSize",
    "SetReplicaSet": "replicaSet",
    "SetRetryReads": "retryReads",
    "SetRetryWrites": "retryWrites",
    "SetServerMonitoringMode": "serverMonitoringMode",
    "SetServerSelectionTimeout": "serverSelectionTimeoutMS",
    "SetSocketTimeout": "socketTimeoutMS",
    "SetSRVMaxHosts": "srvMaxHosts",
    "SetSRVServiceName": "srvServiceName",
    "SetTimeout": "timeoutMS",
}

# The fields of options.Credential, which SetAuth takes.
CREDENTIAL = {
    "AuthMechanism": "authMechanism",
    "AuthMechanismProperties": "authMechanismProperties",
    "AuthSource": "authSource",
    "Password": "password",
    "Username": "username",
}


@dataclass(frozen=True, slots=True)
class _Built:
    """
    Setters in the order in which they are called, each with its arguments, and whether those are all.
    """

    setters: tuple[tuple[str, tuple[Node, ...]], ...] = ()
    complete: bool = False

    def __add__(self, other: _Built) -> _Built:
        return _Built(self.setters + other.setters, self.complete and other.complete)


def construction(given: tuple[Node, ...], source: Source) -> Construction:
    """
    What the options hold, given as they are: ``options.Client().ApplyURI(uri).SetMaxPoolSize(5)``.
    """
    built = _Built(complete=True)
    for node in given:
        built += _built(node, source, 0)
    uri = None
    settings: list[Setting] = []
    for name, arguments in built.setters:
        if name == "ApplyURI" and arguments:
            uri = arguments[0]
        elif name == "SetAuth" and arguments:
            settings.extend(_credential(arguments[0]))
        elif name in SETTINGS and arguments:
            settings.append(Setting(SETTINGS[name], arguments[0]))
    return Construction(uri, tuple(settings), built.complete)


def _built(node: Node, source: Source, hops: int) -> _Built:
    root, setters = _chain(node)
    made = _Built(setters, complete=True)
    if _makes_options(root, source):
        return made
    if hops < _MOST_HOPS:
        if root.type == "identifier":
            return _variable(root, source, hops) + made
        if root.type == "call_expression" and (returned := _returned(root, source)) is not None:
            return _built(returned, source, hops + 1) + made
    return _Built(setters)


def _chain(node: Node) -> tuple[Node, tuple[tuple[str, tuple[Node, ...]], ...]]:
    """
    Take ``root.A(x).B(y)`` apart.
    """
    setters: list[tuple[str, tuple[Node, ...]]] = []
    while node.type == "call_expression":
        function, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or function.type != "selector_expression":
            break
        operand, field = function.child_by_field_name("operand"), function.child_by_field_name("field")
        if operand is None or field is None or (operand.type == "identifier" and text(field) == "Client"):
            break
        setters.append((text(field), tuple(given.named_children) if given is not None else ()))
        node = operand
    while node.type in ("unary_expression", "parenthesized_expression") and node.named_children:
        node = node.named_children[0]
    return node, tuple(reversed(setters))


def _makes_options(node: Node, source: Source) -> bool:
    imported = _MODULE.search(source.data.decode("utf-8", "replace"))
    package = (imported[1] or "options") if imported is not None else "options"
    return node.type == "call_expression" and text(node) == f"{package}.Client()"


def _returned(call: Node, source: Source) -> Node | None:
    """
    What a function of this file returns first, if it has just one ``return``.
    """
    function = call.child_by_field_name("function")
    name = last_name(text(function)) if function is not None else ""
    found = [
        statement
        for declared in source.find(_FUNCTIONS - {"func_literal"})
        if (named := declared.child_by_field_name("name")) is not None and text(named) == name
        for statement in find(declared, frozenset({"return_statement"}))
    ]
    if len(found) != 1 or not found[0].named_children or not found[0].named_children[0].named_children:
        return None
    return found[0].named_children[0].named_children[0]


def _variable(use: Node, source: Source, hops: int) -> _Built:
    """
    What a variable holds where it is used.
    """
    for scope in (*(outer for outer in ancestors(use) if outer.type in _FUNCTIONS), source.root):
        before = [found for found in _named(text(use), scope) if scope is source.root or found.end_byte < use.end_byte]
        if scope is source.root:
            before = [found for found in before if not any(outer.type in _FUNCTIONS for outer in ancestors(found))]
        if _is_parameter(use, scope) or any(_value(found) is not None for found in before):
            return _history(before, source, hops)
    return _Built()


def _is_parameter(use: Node, function: Node) -> bool:
    parameters = function.child_by_field_name("parameters")
    return parameters is not None and any(_named(text(use), parameters))


def _named(name: str, scope: Node) -> Iterator[Node]:
    return (found for found in find(scope, frozenset({"identifier"})) if text(found) == name)


def _history(uses: list[Node], source: Source, hops: int) -> _Built:
    """
    What has become of a variable, by its uses in their order.
    """
    built, made = _Built(complete=True), 0
    for use in uses:
        value = _value(use)
        if value is not None:
            root, _ = _chain(value)
            # In options = options.SetX() the right side is a use of its own.
            if text(root) != text(use):
                made += 1
                built = _built(value, source, hops + 1)
        elif (called := _called_on(use)) is not None:
            built = _Built(built.setters + _chain(called)[1], built.complete)
        elif _escapes(use):
            built = _Built(built.setters)
    return built if made == 1 else _Built(built.setters)


def _value(use: Node) -> Node | None:
    """
    What a variable is given in a statement that gives it something.
    """
    left = use.parent
    if left is None:
        return None
    statement, place = left, 0
    if left.type == "expression_list" and left.parent is not None:
        statement, place = left.parent, left.named_children.index(use)
    target = statement.child_by_field_name("left") or statement.child_by_field_name("name")
    values = statement.child_by_field_name("right") or statement.child_by_field_name("value")
    if target is None or values is None or target not in (left, use) or len(values.named_children) <= place:
        return None
    return values.named_children[place]


def _called_on(use: Node) -> Node | None:
    """
    The whole chain of calls on a variable.
    """
    found = None
    selector = use.parent
    while selector is not None and selector.type == "selector_expression":
        call = selector.parent
        if call is None or call.type != "call_expression" or call.child_by_field_name("function") != selector:
            break
        found, selector = call, call.parent
    return found


def _escapes(use: Node) -> bool:
    """
    Whether something else may change it: it is handed to a call, its address is taken, or a field is set.
    """
    outer = use.parent
    if outer is not None and outer.type == "selector_expression":
        outer = outer.parent.parent if outer.parent is not None else None
        return outer is not None and outer.type == "assignment_statement"
    return outer is not None and outer.type in ("argument_list", "unary_expression", "variadic_argument")


def _credential(node: Node) -> Iterator[Setting]:
    if node.type == "identifier":
        scope = next((outer for outer in ancestors(node) if outer.type in _FUNCTIONS), None)
        values = [_value(found) for found in _named(text(node), scope)] if scope is not None else []
        node = next((value for value in values if value is not None), node)
    for pair in find(node, frozenset({"keyed_element"})):
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is not None and value is not None and text(key) in CREDENTIAL and value.named_children:
            yield Setting(CREDENTIAL[text(key)], value.named_children[0])
