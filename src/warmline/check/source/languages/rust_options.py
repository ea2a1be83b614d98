"""
Rust: the options that a client of the official driver is constructed with, by builders, fields and variables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from ..language import Construction, Setting
from ..tree import ancestors, find, last_name, text

# The fields of ClientOptions, and the methods of its builder.
SETTINGS = {
    "app_name": "appName",
    "connect_timeout": "connectTimeoutMS",
    "direct_connection": "directConnection",
    "heartbeat_freq": "heartbeatFrequencyMS",
    "load_balanced": "loadBalanced",
    "local_threshold": "localThresholdMS",
    "max_connecting": "maxConnecting",
    "max_idle_time": "maxIdleTimeMS",
    "max_pool_size": "maxPoolSize",
    "min_pool_size": "minPoolSize",
    "repl_set_name": "replicaSet",
    "retry_reads": "retryReads",
    "retry_writes": "retryWrites",
    "server_monitoring_mode": "serverMonitoringMode",
    "server_selection_timeout": "serverSelectionTimeoutMS",
    "srv_max_hosts": "srvMaxHosts",
    "srv_service_name": "srvServiceName",
}

# The same of Credential.
CREDENTIAL = {
    "mechanism": "authMechanism",
    "mechanism_properties": "authMechanismProperties",
    "password": "password",
    "source": "authSource",
    "username": "username",
}

# Durations are counted in the unit of MongoDB's options.
_MILLISECONDS = {"from_millis": 1, "from_secs": 1000, "from_mins": 60_000, "from_hours": 3_600_000, "new": 1000}

# What stands around a value without changing it, or waits for it.
_WRAPPERS = frozenset({"await_expression", "try_expression", "parenthesized_expression", "reference_expression"})
_UNWRAPPING = frozenset({"unwrap", "expect", "clone", "map_err", "context", "with_context", "into", "into_future"})

_PARSING = frozenset({"parse", "parse_async", "parse_with_resolver_config", "parse_connection_string"})


@dataclass(frozen=True, slots=True)
class _Built:
    """
    Options, as far as they are seen.

    :param complete: whether those are all.
    """

    uri: Node | None = None
    settings: tuple[Setting, ...] = ()
    complete: bool = False


def construction(given: tuple[Node, ...], *, options: bool) -> Construction:
    """
    What a client is constructed with.

    :param options: whether that is a ``ClientOptions``; if not, it is a connection string.
    """
    if not given:
        return Construction()
    if not options:
        return Construction(given[0], complete=True)
    built = _built(given[0])
    return Construction(built.uri, built.settings, built.complete)


def unwrapped(node: Node) -> Node:
    """
    Take off what leaves a value as it is: ``&``, ``?``, ``.await``, ``.unwrap()``, ``Some(…)``.
    """
    while True:
        if node.type in _WRAPPERS and node.named_children:
            node = node.named_children[-1]
        elif node.type == "call_expression" and (inner := _inner(node)) is not None:
            node = inner
        else:
            return node


def _inner(call: Node) -> Node | None:
    function, given = call.child_by_field_name("function"), _given(call)
    if function is None:
        return None
    if function.type == "field_expression":
        field = function.child_by_field_name("field")
        return function.child_by_field_name("value") if field is not None and text(field) in _UNWRAPPING else None
    return given[0] if text(function) == "Some" and given else None


def _given(call: Node) -> tuple[Node, ...]:
    arguments = call.child_by_field_name("arguments")
    return tuple(arguments.named_children) if arguments is not None else ()


def _built(node: Node) -> _Built:
    node = unwrapped(node)
    if node.type == "identifier":
        return _variable(node)
    if node.type == "struct_expression":
        return _struct(node)
    if node.type != "call_expression" or (function := node.child_by_field_name("function")) is None:
        return _Built()
    if function.type == "scoped_identifier":
        given, path = _given(node), function.child_by_field_name("path")
        if path is None or last_name(text(path)) != "ClientOptions":
            return _Built()
        if last_name(text(function)) in _PARSING and given:
            return _Built(given[0], complete=True)
        return _Built(complete=last_name(text(function)) in ("default", "builder", "new"))
    return _method(node, function)


def _method(call: Node, function: Node) -> _Built:
    """
    One step of a builder: ``ClientOptions::builder().max_pool_size(5).build()``.
    """
    value, field, given = function.child_by_field_name("value"), function.child_by_field_name("field"), _given(call)
    if function.type != "field_expression" or value is None or field is None:
        return _Built()
    before = _built(value)
    return _Built(before.uri, before.settings + _settings(text(field), given[0] if given else None), before.complete)


def _struct(node: Node) -> _Built:
    """
    ``ClientOptions { max_pool_size: Some(5), ..Default::default() }``.
    """
    settings: tuple[Setting, ...] = ()
    complete = True
    for part in find(node, frozenset({"field_initializer", "base_field_initializer"})):
        if part.type == "base_field_initializer":
            complete = text(part).endswith("default()")
        elif (field := part.child_by_field_name("field")) is not None:
            settings += _settings(text(field), part.child_by_field_name("value"))
    return _Built(settings=settings, complete=complete)


def _variable(use: Node) -> _Built:
    """
    What a variable holds where it is used: what it is made of, and the fields that are set before.
    """
    scope = next((outer for outer in ancestors(use) if outer.type in ("function_item", "static_item")), None)
    if scope is None:
        return _Built()
    built, made, changed = _Built(), 0, False
    for found in find(scope, frozenset({"identifier"})):
        if text(found) != text(use) or found.end_byte >= use.end_byte:
            continue
        outer = found.parent
        if outer is not None and outer.type == "let_declaration" and outer.child_by_field_name("pattern") == found:
            value = outer.child_by_field_name("value")
            built, made = _built(value) if value is not None else _Built(complete=True), made + 1
        elif outer is not None and outer.type == "field_expression":
            built = _Built(built.uri, built.settings + _field(outer), built.complete)
        else:
            changed = changed or _may_change(found)
    return _Built(built.uri, built.settings, built.complete and made == 1 and not changed)


def _field(access: Node) -> tuple[Setting, ...]:
    field, statement = access.child_by_field_name("field"), access.parent
    if field is None or statement is None or statement.type != "assignment_expression":
        return ()
    if statement.child_by_field_name("left") != access:
        return ()
    return _settings(text(field), statement.child_by_field_name("right"))


def _may_change(use: Node) -> bool:
    """
    Whether something else is handed the variable to change it, or it is given another value.
    """
    outer = use.parent
    if outer is None:
        return False
    if outer.type == "reference_expression":
        return any(child.type == "mutable_specifier" for child in outer.children)
    return outer.type in ("arguments", "assignment_expression", "mut_pattern")


def _settings(name: str, value: Node | None) -> tuple[Setting, ...]:
    if value is None:
        return ()
    if name == "credential":
        return tuple(_credential(unwrapped(value)))
    if name not in SETTINGS:
        return ()
    node = unwrapped(value)
    amount, factor = duration(node) or (node, 1)
    return (Setting(SETTINGS[name], amount, factor),)


def duration(node: Node) -> tuple[Node, int] | None:
    """
    Return the number of ``Duration::from_secs(60)`` and what makes milliseconds of it.
    """
    function, given = node.child_by_field_name("function"), _given(node)
    if node.type != "call_expression" or function is None or not given:
        return None
    type_name, _, unit = text(function).rpartition("::")
    factor = _MILLISECONDS.get(unit) if last_name(type_name) == "Duration" else None
    return (given[0], factor) if factor is not None else None


def _credential(node: Node) -> Iterator[Setting]:
    if node.type == "identifier":
        scope = next((outer for outer in ancestors(node) if outer.type == "function_item"), None)
        for declared in find(scope, frozenset({"let_declaration"})) if scope is not None else ():
            pattern, value = declared.child_by_field_name("pattern"), declared.child_by_field_name("value")
            if pattern is not None and value is not None and text(pattern) == text(node):
                node = value
                break
    while node.type == "call_expression" and (function := node.child_by_field_name("function")) is not None:
        field, value = function.child_by_field_name("field"), function.child_by_field_name("value")
        if field is None or value is None:
            return
        if text(field) in CREDENTIAL and (given := _given(node)):
            yield Setting(CREDENTIAL[text(field)], unwrapped(given[0]))
        node = value
    if node.type == "struct_expression":
        for part in find(node, frozenset({"field_initializer"})):
            field, value = part.child_by_field_name("field"), part.child_by_field_name("value")
            if field is not None and value is not None and text(field) in CREDENTIAL:
                yield Setting(CREDENTIAL[text(field)], unwrapped(value))
