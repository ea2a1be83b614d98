"""
Python: PyMongo, Motor, and what builds a client on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from tree_sitter import Node

from ...values import HOLE
from ..facts import Import
from ..language import Arguments, Construction, Constructor, Language, Part, Setting
from ..tree import Source, find, text
from . import python_calls as calls

_QUERY = """
(function_definition name: (identifier) @function.name) @function
(assignment left: (identifier) @function.name right: (lambda) @function)
(call function: [(identifier) @callee (attribute attribute: (identifier) @callee)]) @call
([(default_parameter value: (call function: (_) @_depends arguments: (argument_list . (identifier) @callee)))
  (typed_default_parameter value: (call function: (_) @_depends arguments: (argument_list . (identifier) @callee)))
  (typed_parameter type: (type (generic_type (type_parameter
    (type (call function: (_) @_depends arguments: (argument_list . (identifier) @callee)))))))] @call
  (#match? @_depends "(^|[.])(Depends|Security)$"))
"""

_PERCENT = re.compile(r"%(\((?P<name>\w+)\))?[-+#0-9.]*[sdri]")

_BRACES = re.compile(r"(?<!\{)\{(?P<name>\w*)[^{}]*\}(?!\})")


def _imports(source: Source) -> Iterator[Import]:
    for node in source.find(frozenset({"import_statement", "import_from_statement"})):
        module_node = node.child_by_field_name("module_name")
        module = text(module_node) if module_node is not None else None
        for name in node.children_by_field_name("name"):
            dotted, alias = name, None
            if name.type == "aliased_import":
                alias = name.child_by_field_name("alias")
                dotted = name.child_by_field_name("name") or name
            written = text(dotted)
            local = text(alias) if alias is not None else (written if module else written.partition(".")[0])
            yield Import(local, module or written, written if module else None, source.at(node))
        if module is not None and any(child.type == "wildcard_import" for child in node.named_children):
            yield Import("*", module, "*", source.at(node))


def _arguments(call: Node) -> Arguments:
    arguments = call.child_by_field_name("arguments")
    if arguments is None:
        return Arguments()
    positional: list[Node] = []
    named: list[tuple[str, Node]] = []
    complete = True
    for node in arguments.named_children:
        if node.type == "keyword_argument":
            name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
            if name is not None and value is not None:
                named.append((text(name), value))
        elif node.type in ("dictionary_splat", "list_splat"):
            literal = node.named_children[0] if node.named_children else None
            if literal is not None and literal.type == "dictionary":
                named.extend(_pairs(literal))
            else:
                complete = False
        elif node.type != "comment":
            positional.append(node)
    return Arguments(tuple(positional), tuple(named), complete)


def _pairs(dictionary: Node) -> Iterator[tuple[str, Node]]:
    for pair in dictionary.named_children:
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is not None and value is not None and key.type == "string":
            yield text(key).strip("\"'"), value


def _construction(call: Node, constructor: Constructor, source: Source) -> Construction | None:
    arguments = _arguments(call)
    named = dict(arguments.named)
    if constructor.driver == "beanie" and not any(name in named for name in constructor.uri_names):
        # It is given a database of a client that stands elsewhere.
        return None
    uri = next((named.pop(name) for name in constructor.uri_names if name in named), None)
    if uri is None and constructor.uri is not None and len(arguments.positional) > constructor.uri:
        uri = arguments.positional[constructor.uri]
    return Construction(uri, tuple(Setting(name, node) for name, node in named.items()), arguments.complete)


def _literal(node: Node) -> tuple[Part, ...] | None:
    match node.type:
        case "string":
            return tuple(_string_parts(node))
        case "concatenated_string":
            return tuple(part for string in node.named_children for part in _string_parts(string))
        case "integer" | "float":
            return (text(node).replace("_", ""),)
        case "true" | "false":
            return (node.type,)
        case "none":
            return ("null",)
        case "call":
            return _formatted(node)
        case "binary_operator":
            return _percent(node)
    return None


def _string_parts(string: Node) -> Iterator[Part]:
    for child in string.named_children:
        if child.type == "string_content":
            yield text(child)
        elif child.type == "interpolation" and child.named_children:
            yield child.named_children[0]


def _percent(operation: Node) -> tuple[Part, ...] | None:
    """
    The text of ``"…%s…" % …``.
    """
    left, right = operation.child_by_field_name("left"), operation.child_by_field_name("right")
    operator = operation.child_by_field_name("operator")
    if left is None or right is None or operator is None or text(operator) != "%" or left.type != "string":
        return None
    given = right.named_children if right.type == "tuple" else [right]
    named = dict(_pairs(right)) if right.type == "dictionary" else {}
    return tuple(_filled(left, _PERCENT, given, named))


def _formatted(call: Node) -> tuple[Part, ...] | None:
    """
    The text of ``"…{}…".format(…)``.
    """
    function = call.child_by_field_name("function")
    if function is None or function.type != "attribute":
        return None
    string, method = function.child_by_field_name("object"), function.child_by_field_name("attribute")
    while string is not None and string.type == "parenthesized_expression" and string.named_children:
        string = string.named_children[0]
    if string is None or method is None or text(method) != "format":
        return None
    if string.type not in ("string", "concatenated_string"):
        return None
    arguments = _arguments(call)
    return tuple(_filled(string, _BRACES, arguments.positional, dict(arguments.named)))


def _filled(
    string: Node, placeholder: re.Pattern[str], positional: Sequence[Node], named: Mapping[str, Node]
) -> Iterator[Part]:
    """
    The text of a format, with the arguments in their places.
    """
    whole = "".join(text(content) for content in find(string, frozenset({"string_content"})))
    end, count = 0, 0
    for found in placeholder.finditer(whole):
        yield whole[end : found.start()]
        end = found.end()
        name = found["name"] or ""
        if name.isdecimal() or not name:
            place = int(name) if name else count
            count += 1
            yield positional[place] if place < len(positional) else HOLE
        else:
            yield named.get(name, HOLE)
    yield whole[end:]


def _environment(node: Node) -> tuple[str, Node | None] | None:
    if node.type == "subscript":
        value, key = node.child_by_field_name("value"), node.child_by_field_name("subscript")
        if value is not None and key is not None and text(value) in ("os.environ", "environ") and key.type == "string":
            return text(key).strip("\"'"), None
    if node.type == "call":
        function = node.child_by_field_name("function")
        if function is not None and text(function) in ("os.environ.get", "environ.get", "os.getenv", "getenv"):
            arguments = _arguments(node).positional
            if arguments and arguments[0].type == "string":
                return text(arguments[0]).strip("\"'"), arguments[1] if len(arguments) > 1 else None
    return None


LANGUAGE = Language(
    name="python",
    title="Python",
    extensions=(".py",),
    comment="#",
    grammar=("tree_sitter_python", "language"),
    mentions=(
        b"MongoClient",
        b"MotorClient",
        b"mongoengine",
        b"PyMongo",
        b"init_beanie",
        b"warmline",
        b"mongodb://",
        b"mongodb+srv://",
    ),
    query=_QUERY,
    constructors=(
        Constructor(driver="pymongo", call=r"(pymongo\.(\w+\.)*)?MongoClient", uri_names=("host",)),
        Constructor(
            driver="pymongo", call=r"(pymongo\.(\w+\.)*)?AsyncMongoClient", uri_names=("host",), asynchronous=True
        ),
        Constructor(
            driver="motor",
            call=r"(motor\.(\w+\.)*)?(AsyncIOMotorClient|MotorClient)",
            uri_names=("host",),
            asynchronous=True,
        ),
        Constructor(
            driver="beanie",
            call=r"beanie\.(\w+\.)*init_beanie",
            uri=None,
            uri_names=("connection_string",),
            asynchronous=True,
        ),
        Constructor(driver="flask-pymongo", call=r"flask_pymongo\.(\w+\.)*PyMongo", uri=1, uri_names=("uri",)),
        Constructor(
            driver="mongoengine",
            call=r"mongoengine\.(connection\.)?(connect|register_connection)",
            uri=None,
            uri_names=("host",),
            reconnects=True,
        ),
        Constructor(driver="warmline", call=r"warmline\.connect", uri_names=("uri",), shared=True),
        Constructor(
            driver="warmline", call=r"warmline\.connect_async", uri_names=("uri",), asynchronous=True, shared=True
        ),
    ),
    qualified=True,
    functions=frozenset({"function_definition", "lambda"}),
    early=frozenset({"default_parameter", "typed_default_parameter"}),
    assignments=frozenset({"assignment", "named_expression"}),
    conditions=frozenset(
        {
            *("if_statement", "elif_clause", "while_statement", "conditional_expression"),
            *("match_statement", "try_statement"),
        }
    ),
    concatenations=frozenset({"binary_operator"}),
    once_calls=frozenset({"lru_cache", "cache", "once", "SimpleLazyObject"}),
    handler_names=frozenset({"lambda_handler", "lambda_handle"}),
    constructor_names=frozenset({"__init__", "__new__"}),
    classes=frozenset({"class_definition"}),
    closers=frozenset({"close", "disconnect", "disconnect_all", "with"}),
    on_lambda=calls.ON_LAMBDA,
    imports=_imports,
    handler=calls.handler,
    outliving=calls.outliving,
    cached=calls.cached,
    asked=calls.asked,
    means=calls.means,
    bases=calls.bases,
    scoped=calls.scoped,
    arguments=_arguments,
    construction=_construction,
    literal=_literal,
    environment=_environment,
)
