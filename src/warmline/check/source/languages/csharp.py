"""
C#: the official driver.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from ..facts import Import
from ..functions import Function
from ..language import Arguments, Construction, Constructor, Language, Part
from ..tree import Source, find, names, text

_QUERY = """
(method_declaration name: (_) @function.name) @function
(local_function_statement name: (_) @function.name) @function
(constructor_declaration name: (_) @function.name) @function
(invocation_expression function: [(identifier) @callee (member_access_expression name: (_) @callee)]) @call
(object_creation_expression type: (_) @callee) @call
"""


def _imports(source: Source) -> Iterator[Import]:
    for node in find(source.root, frozenset({"using_directive"})):
        module = next((text(child) for child in node.named_children), "")
        yield Import(module.rpartition(".")[2], module, None, source.at(node))


def _handler(function: Function, source: Source) -> str | None:
    taken = any("ILambdaContext" in text(parameter) for parameter in function.parameters)
    return "its parameters" if taken else None


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
    if given is None:
        return Arguments()
    return Arguments(tuple(node.named_children[-1] for node in given.named_children if node.named_children))


def _construction(call: Node, constructor: Constructor, source: Source) -> Construction:
    given = _arguments(call).positional
    return Construction(given[0] if given else None, complete=len(given) == 1 and _literal(given[0]) is not None)


def _literal(node: Node) -> tuple[Part, ...] | None:
    match node.type:
        case "string_literal":
            return ("".join(text(child) for child in node.named_children),)
        case "interpolated_string_expression":
            return tuple(_interpolated(node))
        case "integer_literal" | "real_literal":
            return (text(node).replace("_", ""),)
        case "boolean_literal":
            return (text(node),)
        case "null_literal":
            return ("null",)
    return None


def _interpolated(string: Node) -> Iterator[Part]:
    for child in string.named_children:
        if child.type == "string_content":
            yield text(child)
        elif child.type == "interpolation":
            yield next((part for part in child.named_children if part.type != "interpolation_brace"), "")


def _environment(node: Node) -> tuple[str, Node | None] | None:
    if node.type == "invocation_expression":
        function, given = node.child_by_field_name("function"), _arguments(node).positional
        if function is not None and text(function).endswith("Environment.GetEnvironmentVariable") and given:
            return text(given[0]).strip('"'), None
    return None


LANGUAGE = Language(
    name="csharp",
    title="C#",
    extensions=(".cs",),
    comment="//",
    grammar=("tree_sitter_c_sharp", "language"),
    mentions=(b"MongoDB.Driver", b"mongodb://", b"mongodb+srv://"),
    query=_QUERY,
    constructors=(Constructor(driver="MongoDB.Driver", call=r"new ([\w.]+\.)?MongoClient"),),
    functions=frozenset(
        {
            "method_declaration",
            "lambda_expression",
            "anonymous_method_expression",
            "constructor_declaration",
            "local_function_statement",
        }
    ),
    assignments=frozenset({"assignment_expression"}),
    memoizing=frozenset({"assignment_expression"}),
    declarations=frozenset({"variable_declarator"}),
    once_calls=frozenset({"Lazy", "GetOrAdd"}),
    handler_names=frozenset({"FunctionHandler", "FunctionHandlerAsync"}),
    classes=frozenset({"class_declaration", "record_declaration"}),
    closers=frozenset({"Dispose"}),
    imports=_imports,
    handler=_handler,
    outliving=_outliving,
    arguments=_arguments,
    construction=_construction,
    literal=_literal,
    environment=_environment,
)
