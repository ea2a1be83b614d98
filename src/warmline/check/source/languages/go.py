"""
Go: the official driver, versions 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter_go
from tree_sitter import Node

from ..facts import Import
from ..functions import Function
from ..language import Arguments, Construction, Constructor, Language, Part
from ..tree import Source, find, names, text

_QUERY = """
(function_declaration name: (_) @function.name) @function
(method_declaration name: (_) @function.name) @function
(short_var_declaration
  left: (expression_list (identifier) @function.name) right: (expression_list (func_literal) @function))
(call_expression function: [(identifier) @callee (selector_expression field: (_) @callee)]) @call
((call_expression function: (selector_expression operand: (identifier) @_package field: (_) @_function)
  arguments: (argument_list . (_) @entry))
  (#eq? @_package "lambda") (#any-of? @_function "Start" "StartWithOptions" "StartHandlerFunc" "StartHandler"))
((call_expression function: (selector_expression operand: (identifier) @_package field: (_) @_function)
  arguments: (argument_list (_) @entry .))
  (#eq? @_package "lambda") (#any-of? @_function "StartWithContext" "StartHandlerWithContext"))
"""

_IDENTIFIERS = frozenset({"identifier", "field_identifier"})
_DECLARATIONS = frozenset({"short_var_declaration", "var_spec"})


def _imports(source: Source) -> Iterator[Import]:
    for node in find(source.root, frozenset({"import_spec"})):
        path, alias = node.child_by_field_name("path"), node.child_by_field_name("name")
        if path is not None:
            module = text(path).strip('"`')
            yield Import(text(alias) if alias is not None else _package(module), module, None, source.at(node))


def _package(module: str) -> str:
    last = module.rpartition("/")[2]
    # example.com/driver/v2 is package driver.
    return module.split("/")[-2] if last[:1] == "v" and last[1:].isdigit() and "/" in module else last


def _handler(function: Function, source: Source) -> str | None:
    return None


def _outliving(function: Node) -> set[str]:
    local: set[str] = set()
    for declaration in find(function, _DECLARATIONS):
        left = declaration.child_by_field_name("left") or declaration.child_by_field_name("name")
        if left is not None:
            local |= names(left, frozenset({"identifier"}))
    parameters = function.child_by_field_name("parameters")
    if parameters is not None:
        local |= names(parameters, frozenset({"identifier"}))
    found: set[str] = set()
    for assignment in find(function, frozenset({"assignment_statement"})):
        left = assignment.child_by_field_name("left")
        if left is not None:
            found |= names(left, _IDENTIFIERS)
    return found - local


def _arguments(call: Node) -> Arguments:
    given = call.child_by_field_name("arguments")
    return Arguments(tuple(given.named_children) if given is not None else ())


def _construction(call: Node, constructor: Constructor, source: Source) -> Construction:
    # The connection string stands in ApplyURI, in the arguments or where the options were made.
    return Construction()


def _literal(node: Node) -> tuple[Part, ...] | None:
    match node.type:
        case "interpreted_string_literal" | "raw_string_literal":
            return (text(node)[1:-1],)
        case "int_literal" | "float_literal":
            return (text(node).replace("_", ""),)
        case "true" | "false":
            return (node.type,)
        case "nil":
            return ("null",)
    return None


def _environment(node: Node) -> tuple[str, Node | None] | None:
    if node.type == "call_expression":
        function = node.child_by_field_name("function")
        given = _arguments(node).positional
        if function is not None and text(function) in ("os.Getenv", "os.LookupEnv") and given:
            return text(given[0]).strip('"`'), None
    return None


LANGUAGE = Language(
    name="go",
    title="Go",
    extensions=(".go",),
    comment="//",
    grammar=tree_sitter_go.language,
    mentions=(b"mongo-driver", b"mongodb://", b"mongodb+srv://"),
    query=_QUERY,
    constructors=(Constructor(driver="mongo-go-driver", call=r"mongo\.(Connect|NewClient)", uri=None),),
    functions=frozenset({"function_declaration", "method_declaration", "func_literal"}),
    assignments=frozenset({"assignment_statement"}),
    declarations=_DECLARATIONS,
    identifiers=_IDENTIFIERS,
    once_calls=frozenset({"Do", "OnceValue", "OnceValues", "OnceFunc"}),
    init_names=frozenset({"init", "main"}),
    closers=frozenset({"Disconnect"}),
    imports=_imports,
    handler=_handler,
    outliving=_outliving,
    arguments=_arguments,
    construction=_construction,
    literal=_literal,
    environment=_environment,
)
