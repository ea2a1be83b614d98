"""
Rust: the official driver.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from ..facts import Import
from ..functions import Function
from ..language import Arguments, Construction, Constructor, Language, Part
from ..tree import Source, find, names, text

_QUERY = """
(function_item name: (_) @function.name) @function
(call_expression
  function: [(identifier) @callee (scoped_identifier name: (_) @callee) (field_expression field: (_) @callee)]) @call
((call_expression function: [(identifier) @_function (scoped_identifier name: (_) @_function)]
  arguments: (arguments (_) @entry)) (#any-of? @_function "service_fn" "handler_fn"))
"""

_IDENTIFIERS = frozenset({"identifier", "field_identifier"})


def _imports(source: Source) -> Iterator[Import]:
    for node in find(source.root, frozenset({"use_declaration"})):
        for used in find(node, frozenset({"identifier"})):
            yield Import(text(used), text(node).removeprefix("use ").rstrip(";"), text(used), source.at(node))


def _handler(function: Function, source: Source) -> str | None:
    return None


def _outliving(function: Node) -> set[str]:
    local: set[str] = set()
    for declaration in find(function, frozenset({"let_declaration", "parameter"})):
        pattern = declaration.child_by_field_name("pattern")
        if pattern is not None:
            local |= names(pattern, frozenset({"identifier"}))
    found: set[str] = set()
    for assignment in find(function, frozenset({"assignment_expression"})):
        left = assignment.child_by_field_name("left")
        if left is not None:
            found |= names(left, _IDENTIFIERS)
    return found - local


def _arguments(call: Node) -> Arguments:
    given = call.child_by_field_name("arguments")
    return Arguments(tuple(given.named_children) if given is not None else ())


def _construction(call: Node, constructor: Constructor, source: Source) -> Construction:
    given = _arguments(call).positional
    return Construction(given[0] if given else None)


def _literal(node: Node) -> tuple[Part, ...] | None:
    match node.type:
        case "string_literal" | "raw_string_literal":
            return ("".join(text(child) for child in node.named_children if child.type == "string_content"),)
        case "integer_literal" | "float_literal":
            return (text(node).replace("_", ""),)
        case "boolean_literal":
            return (text(node),)
    return None


def _environment(node: Node) -> tuple[str, Node | None] | None:
    if node.type == "call_expression":
        function, given = node.child_by_field_name("function"), _arguments(node).positional
        if function is not None and text(function) in ("std::env::var", "env::var") and given:
            return text(given[0]).strip('"'), None
    if node.type == "macro_invocation":
        macro = node.child_by_field_name("macro")
        if macro is not None and text(macro) in ("env", "option_env"):
            return text(node).partition('"')[2].partition('"')[0], None
    return None


LANGUAGE = Language(
    name="rust",
    title="Rust",
    extensions=(".rs",),
    comment="//",
    grammar=("tree_sitter_rust", "language"),
    mentions=(b"mongodb",),
    query=_QUERY,
    constructors=(Constructor(driver="mongodb", call=r"(\w+::)*Client::(with_uri_str|with_options)"),),
    functions=frozenset({"function_item", "closure_expression"}),
    assignments=frozenset({"assignment_expression"}),
    declarations=frozenset({"let_declaration"}),
    identifiers=_IDENTIFIERS,
    conditions=frozenset({"if_expression"}),
    returns=frozenset({"return_expression"}),
    once_calls=frozenset({"get_or_init", "get_or_try_init", "call_once", "Lazy", "LazyLock"}),
    once_macros=frozenset({"lazy_static", "lazy_static::lazy_static", "thread_local"}),
    init_names=frozenset({"main"}),
    closers=frozenset({"shutdown"}),
    imports=_imports,
    handler=_handler,
    outliving=_outliving,
    arguments=_arguments,
    construction=_construction,
    literal=_literal,
    environment=_environment,
)
