"""
Java: the official drivers, and Spring's templates where the client is built by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter_java
from tree_sitter import Node

from ..facts import Import
from ..functions import Function
from ..language import Arguments, Construction, Constructor, Language, Part
from ..tree import Source, find, names, text

_QUERY = """
(method_declaration name: (_) @function.name) @function
(constructor_declaration name: (_) @function.name) @function
(method_invocation name: (_) @callee) @call
(object_creation_expression type: (_) @callee) @call
"""


def _imports(source: Source) -> Iterator[Import]:
    for node in find(source.root, frozenset({"import_declaration"})):
        dotted = next((text(child) for child in node.named_children), "")
        module, _, name = dotted.rpartition(".")
        yield Import(name, module, name, source.at(node))


def _handler(function: Function, source: Source) -> str | None:
    return None


def _outliving(function: Node) -> set[str]:
    local: set[str] = set()
    for declarator in find(function, frozenset({"variable_declarator"})):
        name = declarator.child_by_field_name("name")
        if name is not None:
            local.add(text(name))
    parameters = function.child_by_field_name("parameters")
    if parameters is not None:
        local |= names(parameters, frozenset({"identifier"}))
    found: set[str] = set()
    for assignment in find(function, frozenset({"assignment_expression"})):
        left = assignment.child_by_field_name("left")
        if left is not None:
            found |= names(left, frozenset({"identifier"}))
    return found - local


def _arguments(call: Node) -> Arguments:
    given = call.child_by_field_name("arguments")
    return Arguments(tuple(given.named_children) if given is not None else ())


def _construction(call: Node, constructor: Constructor, source: Source) -> Construction:
    given = _arguments(call).positional
    return Construction(given[0] if given else None)


def _literal(node: Node) -> tuple[Part, ...] | None:
    match node.type:
        case "string_literal":
            return ("".join(text(child) for child in node.named_children),)
        case "decimal_integer_literal" | "decimal_floating_point_literal":
            return (text(node).replace("_", "").rstrip("LlDdFf"),)
        case "true" | "false":
            return (node.type,)
        case "null_literal":
            return ("null",)
    return None


def _environment(node: Node) -> tuple[str, Node | None] | None:
    if node.type == "method_invocation":
        name, given = node.child_by_field_name("name"), _arguments(node).positional
        if name is not None and text(name) == "getenv" and given:
            return text(given[0]).strip('"'), None
    return None


LANGUAGE = Language(
    name="java",
    title="Java",
    extensions=(".java",),
    comment="//",
    grammar=tree_sitter_java.language,
    mentions=(b"com.mongodb", b"org.springframework.data.mongodb", b"mongodb://", b"mongodb+srv://"),
    query=_QUERY,
    constructors=(
        Constructor(driver="mongodb-driver", call=r"([\w.]+\.)?MongoClients\.create"),
        Constructor(driver="mongodb-driver", call=r"new ([\w.]+\.)?MongoClient"),
    ),
    functions=frozenset({"method_declaration", "lambda_expression", "constructor_declaration"}),
    run_once=frozenset({"static_initializer"}),
    assignments=frozenset({"assignment_expression"}),
    declarations=frozenset({"variable_declarator"}),
    once_calls=frozenset({"computeIfAbsent", "memoize"}),
    handler_names=frozenset({"handleRequest", "handleRequestStream"}),
    classes=frozenset({"class_declaration", "record_declaration"}),
    closers=frozenset({"close"}),
    imports=_imports,
    handler=_handler,
    outliving=_outliving,
    arguments=_arguments,
    construction=_construction,
    literal=_literal,
    environment=_environment,
)
