"""
What JavaScript and TypeScript have in common: the official driver and mongoose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from ..facts import Import
from ..functions import Function
from ..language import Arguments, Construction, Constructor, Part, Setting
from ..tree import Source, ancestors, find, names, target, text

QUERY = """
(function_declaration name: (_) @function.name) @function
(method_definition name: (_) @function.name) @function
(variable_declarator name: (identifier) @function.name value: [(arrow_function) (function_expression)] @function)
(pair key: (_) @function.name value: [(arrow_function) (function_expression)] @function)
(assignment_expression
  left: [(identifier) (member_expression)] @function.name right: [(arrow_function) (function_expression)] @function)
(assignment_expression
  left: [(identifier) (member_expression)] @function.name
  right: (assignment_expression right: [(arrow_function) (function_expression)] @function))
(export_statement value: [(arrow_function) (function_expression)] @function)
(call_expression function: [(identifier) @callee (member_expression property: (_) @callee)]) @call
(new_expression constructor: [(identifier) @callee (member_expression property: (_) @callee)]) @call
"""

MENTIONS = (b"mongodb", b"mongoose", b"MongoClient")

FUNCTIONS = frozenset(
    {
        "function_declaration",
        "function_expression",
        "arrow_function",
        "method_definition",
        "generator_function_declaration",
        "generator_function",
    }
)

IDENTIFIERS = frozenset({"identifier", "property_identifier", "this", "shorthand_property_identifier"})

CONSTRUCTORS = (
    Constructor(driver="mongodb", call=r"new ([\w$]+\.)*MongoClient", asynchronous=True),
    Constructor(driver="mongodb", call=r"(await )?([\w$]+\.)*MongoClient\.connect", asynchronous=True),
    Constructor(driver="mongoose", call=r"([\w$]+\.)*mongoose\.connect", asynchronous=True, reconnects=True),
    Constructor(driver="mongoose", call=r"([\w$]+\.)*mongoose\.createConnection", asynchronous=True),
)

_EVENT = re.compile(r"\s*_?(event|evt|e|req)\b")

_HANDLER_NAMES = frozenset({"handler", "lambdaHandler", "lambda_handler"})


def imports(source: Source) -> Iterator[Import]:
    """
    ``import`` statements and ``require`` calls.
    """
    for node in find(source.root, frozenset({"import_statement"})):
        where = node.child_by_field_name("source")
        if where is not None:
            yield from _imported(node, text(where).strip("\"'`"), source)
    for node in find(source.root, frozenset({"variable_declarator"})):
        yield from _required(node, source)


def _imported(statement: Node, module: str, source: Source) -> Iterator[Import]:
    at = source.at(statement)
    for found in find(statement, frozenset({"import_specifier", "namespace_import", "import_clause"})):
        if found.type == "import_specifier":
            name, alias = found.child_by_field_name("name"), found.child_by_field_name("alias")
            if name is not None:
                yield Import(text(alias or name), module, text(name), at)
        elif found.type == "namespace_import" and found.named_children:
            yield Import(text(found.named_children[0]), module, None, at)
        else:
            for child in found.named_children:
                if child.type == "identifier":
                    yield Import(text(child), module, _default(module), at)


def _required(declarator: Node, source: Source) -> Iterator[Import]:
    value, name = declarator.child_by_field_name("value"), declarator.child_by_field_name("name")
    imported = None
    if value is not None and value.type == "member_expression":
        member = value.child_by_field_name("property")
        imported = text(member) if member is not None else None
        value = value.child_by_field_name("object")
    module = _module(value)
    if module is None or name is None:
        return
    if name.type == "identifier":
        yield Import(text(name), module, imported or _default(module), source.at(declarator))
    elif name.type == "object_pattern":
        for part in name.named_children:
            key = part.child_by_field_name("key") if part.type == "pair_pattern" else part
            local = part.child_by_field_name("value") if part.type == "pair_pattern" else part
            if key is not None and local is not None:
                yield Import(text(local), module, text(key), source.at(declarator))


def _default(module: str) -> str | None:
    # What these packages are called in their own documentation, whatever the name that a file gives them.
    return module if module in ("mongoose", "mongodb") else "default"


def _module(node: Node | None) -> str | None:
    if node is None or node.type != "call_expression":
        return None
    function, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if function is None or text(function) != "require" or given is None or not given.named_children:
        return None
    return text(given.named_children[0]).strip("\"'`")


def handler(function: Function, source: Source) -> str | None:
    """
    An exported function that is called handler or takes an event.
    """
    exported = function.name.startswith(("exports.", "module.exports")) or function.name == "default"
    for outer in ancestors(function.node):
        if outer.type == "export_statement":
            exported = True
        if outer.type not in ("variable_declarator", "lexical_declaration", "export_statement"):
            break
    if not exported:
        return None
    if function.short in _HANDLER_NAMES:
        return "its name"
    parameters = function.parameters
    return "its parameters" if parameters and _EVENT.match(text(parameters[0]).lstrip("{( ")) else None


def outliving(function: Node) -> set[str]:
    """
    What is assigned in the function and is no local of it.
    """
    local: set[str] = set()
    for declarator in find(function, frozenset({"variable_declarator"})):
        name = declarator.child_by_field_name("name")
        if name is not None:
            local |= names(name, IDENTIFIERS | {"shorthand_property_identifier_pattern"})
    parameters = function.child_by_field_name("parameters")
    if parameters is not None:
        local |= names(parameters, IDENTIFIERS)
    found: set[str] = set()
    for assignment in find(function, frozenset({"assignment_expression", "augmented_assignment_expression"})):
        left = target(assignment)
        if left is not None:
            found |= names(left, IDENTIFIERS)
    return found - local - {"this"}


def arguments(call: Node) -> Arguments:
    """
    The arguments; the pairs of an object that is the last one are named.
    """
    given = call.child_by_field_name("arguments")
    if given is None:
        return Arguments()
    positional = tuple(node for node in given.named_children if node.type != "comment")
    named: tuple[tuple[str, Node], ...] = ()
    complete = not any(node.type == "spread_element" for node in positional)
    for node in positional:
        if node.type == "object":
            named += tuple(_pairs(node))
            complete = complete and not any(part.type == "spread_element" for part in node.named_children)
    return Arguments(positional, named, complete)


def _pairs(node: Node) -> Iterator[tuple[str, Node]]:
    for pair in node.named_children:
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is not None and value is not None:
            yield text(key).strip("\"'"), value
        elif pair.type == "shorthand_property_identifier":
            yield text(pair), pair


def construction(call: Node, constructor: Constructor, source: Source) -> Construction:
    """
    ``(uri, options)``.
    """
    given = arguments(call)
    settings = tuple(Setting(name, node) for name, node in given.named)
    if constructor.uri is None or len(given.positional) <= constructor.uri:
        return Construction(None, settings, complete=False)
    options = given.positional[constructor.uri + 1 : constructor.uri + 2]
    complete = given.complete and all(node.type in ("object", *FUNCTIONS) for node in options)
    return Construction(given.positional[constructor.uri], settings, complete)


def literal(node: Node) -> tuple[Part, ...] | None:
    """
    Strings, template strings, numbers and truth values.
    """
    match node.type:
        case "string":
            return ("".join(text(child) for child in node.named_children),)
        case "template_string":
            return tuple(
                text(child) if child.type == "string_fragment" else child.named_children[0]
                for child in node.named_children
                if child.type == "string_fragment" or child.named_children
            )
        case "number":
            return (text(node).replace("_", ""),)
        case "true" | "false" | "null" | "undefined":
            return ("null" if node.type == "undefined" else node.type,)
    return None


def environment(node: Node) -> tuple[str, Node | None] | None:
    """
    ``process.env.NAME``, with ``|| default`` or ``?? default``.
    """
    if node.type == "binary_expression":
        operator, left = node.child_by_field_name("operator"), node.child_by_field_name("left")
        if operator is not None and left is not None and text(operator) in ("||", "??"):
            read = environment(left)
            return (read[0], node.child_by_field_name("right")) if read is not None else None
    if node.type in ("member_expression", "subscript_expression"):
        holder = node.child_by_field_name("object")
        name = node.child_by_field_name("property") or node.child_by_field_name("index")
        if holder is not None and name is not None and text(holder) == "process.env":
            return text(name).strip("\"'`"), None
    return None


def unpacked(source: Source) -> Iterator[tuple[str, str]]:
    """
    ``const { NAME, OTHER: other } = process.env``.
    """
    for declarator in find(source.root, frozenset({"variable_declarator"})):
        name, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
        if name is None or value is None or name.type != "object_pattern" or text(value) != "process.env":
            continue
        for part in name.named_children:
            key, local = part.child_by_field_name("key"), part.child_by_field_name("value")
            if part.type == "shorthand_property_identifier_pattern":
                yield text(part), text(part)
            elif key is not None and local is not None:
                yield text(local.child_by_field_name("left") or local), text(key)
            elif (left := part.child_by_field_name("left")) is not None:
                yield text(left), text(left)
