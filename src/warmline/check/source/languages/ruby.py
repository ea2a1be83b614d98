"""
Ruby: the official driver and Mongoid.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from ..facts import Import
from ..functions import Function
from ..language import Arguments, Construction, Constructor, Language, Part, Setting
from ..tree import Source, find, names, target, text

_QUERY = """
(method name: (_) @function.name) @function
(singleton_method name: (_) @function.name) @function
(call method: (identifier) @callee) @call
(identifier) @callee
"""

_IDENTIFIERS = frozenset({"identifier", "global_variable", "instance_variable", "class_variable", "constant"})
_OUTLIVING = _IDENTIFIERS - {"identifier"}


def _imports(source: Source) -> Iterator[Import]:
    for node in find(source.root, frozenset({"call"})):
        method, given = node.child_by_field_name("method"), node.child_by_field_name("arguments")
        if method is not None and text(method) in ("require", "require_relative") and given is not None:
            for argument in given.named_children:
                module = text(argument).strip("\"'")
                yield Import(module.rpartition("/")[2], module, None, source.at(node))


def _handler(function: Function, source: Source) -> str | None:
    parameters = {text(parameter).partition(":")[0] for parameter in function.parameters}
    return "its parameters" if {"event", "context"} <= parameters else None


def _outliving(function: Node) -> set[str]:
    found: set[str] = set()
    for assignment in find(function, frozenset({"assignment", "operator_assignment"})):
        left = target(assignment)
        if left is not None:
            found |= names(left, _OUTLIVING)
    return found


def _arguments(call: Node) -> Arguments:
    given = call.child_by_field_name("arguments")
    positional, named = [], []
    for node in given.named_children if given is not None else ():
        key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        if node.type == "pair" and key is not None and value is not None:
            named.append((text(key).strip(":\"'"), value))
        else:
            positional.append(node)
    return Arguments(tuple(positional), tuple(named))


def _construction(call: Node, constructor: Constructor, source: Source) -> Construction:
    given = _arguments(call)
    settings = tuple(Setting(name, node) for name, node in given.named)
    complete = len(given.positional) == 1 and not settings
    return Construction(given.positional[0] if given.positional else None, settings, complete)


def _literal(node: Node) -> tuple[Part, ...] | None:
    match node.type:
        case "string":
            return tuple(
                text(child) if child.type == "string_content" else child.named_children[0]
                for child in node.named_children
                if child.type == "string_content" or child.named_children
            )
        case "integer" | "float":
            return (text(node).replace("_", ""),)
        case "true" | "false":
            return (node.type,)
        case "nil":
            return ("null",)
    return None


def _environment(node: Node) -> tuple[str, Node | None] | None:
    if node.type == "element_reference":
        holder = node.child_by_field_name("object")
        if holder is not None and text(holder) == "ENV" and len(node.named_children) > 1:
            return text(node.named_children[1]).strip("\"'"), None
    if node.type == "call":
        receiver, given = node.child_by_field_name("receiver"), _arguments(node).positional
        if receiver is not None and text(receiver) == "ENV" and given:
            return text(given[0]).strip("\"'"), given[1] if len(given) > 1 else None
    return None


LANGUAGE = Language(
    name="ruby",
    title="Ruby",
    extensions=(".rb",),
    comment="#",
    grammar=("tree_sitter_ruby", "language"),
    mentions=(b"Mongo::Client", b"Mongoid", b"mongodb://", b"mongodb+srv://"),
    query=_QUERY,
    constructors=(Constructor(driver="mongo", call=r"(::)?Mongo::Client\.new"),),
    functions=frozenset({"method", "singleton_method", "lambda"}),
    assignments=frozenset({"assignment"}),
    memoizing=frozenset({"operator_assignment"}),
    identifiers=_IDENTIFIERS,
    conditions=frozenset({"if", "unless", "if_modifier", "unless_modifier"}),
    returns=frozenset({"return"}),
    concatenations=frozenset({"binary"}),
    handler_names=frozenset({"lambda_handler", "handler"}),
    constructor_names=frozenset({"initialize"}),
    classes=frozenset({"class", "module"}),
    closers=frozenset({"close"}),
    imports=_imports,
    handler=_handler,
    outliving=_outliving,
    arguments=_arguments,
    construction=_construction,
    literal=_literal,
    environment=_environment,
)
