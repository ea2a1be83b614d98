"""
Python: PyMongo, Motor, and what builds a client on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter_python
from tree_sitter import Node

from ..facts import Import
from ..functions import Function
from ..language import Arguments, Construction, Constructor, Language, Part, Setting
from ..tree import Source, find, names, text

_QUERY = """
(function_definition name: (identifier) @function.name) @function
(assignment left: (identifier) @function.name right: (lambda) @function)
(call function: [(identifier) @callee (attribute attribute: (identifier) @callee)]) @call
"""

# Frameworks that call a decorated function for every request, and decorators of handlers.
_ROUTE = re.compile(
    r"@[\w.]+\.(get|post|put|patch|delete|head|options|route|websocket|on_\w+|schedule|lambda_function|exception_handler"
    r"|inject_lambda_context|lambda_handler|capture_lambda_handler|log_metrics|resolver)\b"
    r"|@(event_source|lambda_handler_decorator|handler|idempotent)\b"
)

_CACHE = re.compile(r"@[\w.]*\b(lru_cache|cache|cached_property|cached|singleton|once|cache_resource)\b")


def _imports(source: Source) -> Iterator[Import]:
    for node in find(source.root, frozenset({"import_statement", "import_from_statement"})):
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


def _handler(function: Function, source: Source) -> str | None:
    decorated = function.node.parent
    if decorated is not None and decorated.type == "decorated_definition":
        above = source.data[decorated.start_byte : function.node.start_byte].decode("utf-8", "replace")
        if _ROUTE.search(above):
            return "its decorator"
    parameters = [re.split(r"[:=]", text(node))[0].strip() for node in function.parameters]
    if parameters[:1] == ["self"]:
        return None
    if len(parameters) == 2 and parameters[0].strip("_") in ("event", "events"):
        return "its parameters" if parameters[1].strip("_") in ("context", "ctx", "c", "") else None
    return None


def _outliving(function: Node) -> set[str]:
    declared: set[str] = set()
    for node in find(function, frozenset({"global_statement", "nonlocal_statement"})):
        declared |= names(node, frozenset({"identifier"}))
    found: set[str] = set()
    for assignment in find(function, frozenset({"assignment", "named_expression"})):
        left = assignment.child_by_field_name("left") or assignment.child_by_field_name("name")
        if left is None:
            continue
        if left.type in ("attribute", "subscript"):
            found |= names(left, frozenset({"identifier"})) - {"self", "cls"}
        else:
            found |= names(left, frozenset({"identifier"})) & declared
    return found


def _cached(function: Node) -> bool:
    decorated = function.parent
    if decorated is None or decorated.type != "decorated_definition":
        return False
    above = (decorated.text or b"")[: function.start_byte - decorated.start_byte].decode("utf-8", "replace")
    return _CACHE.search(above) is not None


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


def _construction(call: Node, constructor: Constructor, source: Source) -> Construction:
    arguments = _arguments(call)
    named = dict(arguments.named)
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
        case "binary_operator" if any(child.type == "%" for child in node.children):
            left = node.child_by_field_name("left")
            if left is not None and left.type == "string":
                return (re.sub(r"%(\(\w+\))?[sdr]", "{}", text(left).strip("\"'")),)
    return None


def _string_parts(string: Node) -> Iterator[Part]:
    for child in string.named_children:
        if child.type == "string_content":
            yield text(child)
        elif child.type == "interpolation" and child.named_children:
            yield child.named_children[0]


def _formatted(call: Node) -> tuple[Part, ...] | None:
    """
    The text of ``"…{}…".format(…)``.
    """
    function = call.child_by_field_name("function")
    if function is None or function.type != "attribute":
        return None
    string, method = function.child_by_field_name("object"), function.child_by_field_name("attribute")
    if string is None or string.type != "string" or method is None or text(method) != "format":
        return None
    return (re.sub(r"\{\w*\}", "{}", text(string).strip("\"'")),)


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
    grammar=tree_sitter_python.language,
    mentions=(
        b"MongoClient",
        b"MotorClient",
        b"mongoengine",
        b"PyMongo",
        b"warmline",
        b"mongodb://",
        b"mongodb+srv://",
    ),
    query=_QUERY,
    constructors=(
        Constructor(driver="pymongo", call=r"(\w+\.)*MongoClient", uri_names=("host",)),
        Constructor(driver="pymongo", call=r"(\w+\.)*AsyncMongoClient", uri_names=("host",), asynchronous=True),
        Constructor(
            driver="motor", call=r"(\w+\.)*(AsyncIOMotorClient|MotorClient)", uri_names=("host",), asynchronous=True
        ),
        Constructor(driver="flask-pymongo", call=r"(\w+\.)*PyMongo", uri=1, uri_names=("uri",)),
        Constructor(driver="mongoengine", call=r"mongoengine\.connect", uri=None, uri_names=("host",), reconnects=True),
    ),
    functions=frozenset({"function_definition", "lambda"}),
    assignments=frozenset({"assignment", "named_expression"}),
    concatenations=frozenset({"binary_operator"}),
    handler_names=frozenset({"lambda_handler", "lambda_handle"}),
    constructor_names=frozenset({"__init__", "__new__"}),
    classes=frozenset({"class_definition"}),
    closers=frozenset({"close"}),
    imports=_imports,
    handler=_handler,
    outliving=_outliving,
    cached=_cached,
    arguments=_arguments,
    construction=_construction,
    literal=_literal,
    environment=_environment,
)
