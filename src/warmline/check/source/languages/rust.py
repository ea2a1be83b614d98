"""
Rust: the official driver, asynchronous and synchronous.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from ...values import HOLE
from ..facts import Import
from ..functions import CallSite, Function, Functions
from ..language import Arguments, Construction, Constructor, Language, Part
from ..tree import Source, ancestors, find, last_name, names, text
from .rust_options import construction, duration

_QUERY = """
(function_item name: (_) @function.name) @function
(let_declaration pattern: (identifier) @function.name value: (closure_expression) @function)
(call_expression
  function: [(identifier) @callee (scoped_identifier name: (_) @callee) (field_expression field: (_) @callee)]) @call
(macro_invocation macro: [(identifier) @callee (scoped_identifier name: (_) @callee)]) @call
"""

_IDENTIFIERS = frozenset({"identifier", "field_identifier"})
_DECLARATIONS = frozenset({"let_declaration", "const_item", "static_item"})

# What makes a service of a handler, and of several routes.
_SERVICES = frozenset({"service_fn", "handler_fn"})
_ROUTES = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "any"})
_RUNTIMES = ("lambda_runtime", "lambda_http")

# Lambda's own types of a handler's parameter.
_EVENTS = re.compile(r":\s*(lambda_runtime::)?LambdaEvent\b|:\s*lambda_http::Request\b")
_REQUEST = re.compile(r":\s*Request\b")

# What gives a static its value.
_SETTERS = frozenset({"set", "insert", "replace", "try_insert", "store"})

# Methods and functions that leave a text as it is, or say what happens without it.
_KEEPING = frozenset(
    {
        "as_ref",
        "as_str",
        "clone",
        "context",
        "expect",
        "into",
        "map_err",
        "ok",
        "to_owned",
        "to_string",
        "trim",
        "unwrap",
        "unwrap_or_default",
    }
)
_WRAPPING = frozenset({"Some", "Ok", "String::from"})
_DEFAULTS = frozenset({"unwrap_or", "unwrap_or_else"})

_MECHANISMS = {
    "AuthMechanism::MongoDbAws": "MONGODB-AWS",
    "AuthMechanism::MongoDbX509": "MONGODB-X509",
    "AuthMechanism::ScramSha1": "SCRAM-SHA-1",
    "AuthMechanism::ScramSha256": "SCRAM-SHA-256",
}

# {}, {name}, {0:?}, {{
_PLACE = re.compile(r"\{\{|\}\}|\{(\w*)[^{}]*\}")

# A reference, and how tracing's macros format a value.
_SIGILS = frozenset({"&", "%", "?"})


def _imports(source: Source) -> Iterator[Import]:
    for node in source.find(frozenset({"use_declaration"})):
        used = node.child_by_field_name("argument")
        if used is not None:
            for name, path in _used(used, ""):
                module, _, imported = path.rpartition("::")
                yield Import(name, module or path, imported if module else None, source.at(node))


def _used(node: Node, above: str) -> Iterator[tuple[str, str]]:
    """
    Yield each name of a use declaration, with its whole path.
    """
    match node.type:
        case "use_list":
            for part in node.named_children:
                yield from _used(part, above)
        case "scoped_use_list":
            path, inner = node.child_by_field_name("path"), node.child_by_field_name("list")
            if inner is not None:
                yield from _used(inner, f"{above}{text(path)}::" if path is not None else above)
        case "use_as_clause":
            path, alias = node.child_by_field_name("path"), node.child_by_field_name("alias")
            if path is not None and alias is not None:
                yield text(alias), above + text(path)
        case "self":
            yield last_name(above.removesuffix("::")), above.removesuffix("::")
        case "identifier" | "scoped_identifier":
            yield last_name(text(node)), above + text(node)


def _modules(source: Source) -> set[str]:
    return {found.module.partition("::")[0] for found in _imports(source)}


def _entries(source: Source) -> Iterator[Node]:
    modules = _modules(source)
    routes = "axum" in modules and not modules.isdisjoint(_RUNTIMES)
    for call in source.find(frozenset({"call_expression"})):
        function, given = call.child_by_field_name("function"), _arguments(call).positional
        if function is None or not given:
            continue
        name = last_name(text(function))
        field = function.child_by_field_name("field")
        service = name in _SERVICES or (name == "handler" and "lambda_http" in modules)
        if service or (routes and (text(field) if field is not None else name) in _ROUTES):
            yield given[0]


def _handler(function: Function, source: Source) -> str | None:
    """
    A function that takes one of Lambda's events, in a file that does not itself say what the handler is.
    """
    parameters = [text(parameter) for parameter in function.parameters]
    request = any(_REQUEST.search(parameter) for parameter in parameters) and "lambda_http" in _modules(source)
    if not request and not any(_EVENTS.search(parameter) for parameter in parameters):
        return None
    return "its parameters" if next(_entries(source), None) is None else None


def _outliving(function: Node) -> set[str]:
    local: set[str] = set()
    for declaration in find(function, frozenset({"let_declaration", "parameter"})):
        pattern = declaration.child_by_field_name("pattern")
        if pattern is not None:
            local |= names(pattern, frozenset({"identifier"}))
    found: set[str] = set()
    behind: set[str] = set()
    for node in find(function, frozenset({"assignment_expression", "call_expression"})):
        left, called = node.child_by_field_name("left"), node.child_by_field_name("function")
        if left is not None and left.type == "unary_expression":
            # What a guard gives access to.
            behind |= names(left, frozenset({"identifier"}))
        elif left is not None:
            found |= names(left, _IDENTIFIERS)
        elif called is not None and called.type == "field_expression":
            field, value = called.child_by_field_name("field"), called.child_by_field_name("value")
            if field is not None and value is not None and text(field) in _SETTERS:
                found |= names(value, frozenset({"identifier"}))
    return (found - local) | behind


def _asked(condition: Node) -> Node | None:
    return condition.child_by_field_name("condition") or condition.child_by_field_name("value")


def _means(call: CallSite, function: Function, functions: Functions) -> bool:
    """
    ``connect()`` is no method, and ``State::new()`` no other type's.
    """
    owner = next((outer for outer in ancestors(function.node) if outer.type in ("impl_item", "trait_item")), None)
    written = call.callee.parent
    if written is None or call.node.type != "call_expression":
        return False
    if written.type == "field_expression":
        return owner is not None
    if written.type != "scoped_identifier":
        return owner is None
    path = written.child_by_field_name("path")
    last = last_name(text(path)) if path is not None else ""
    if owner is None:
        return last in ("crate", "self", "super") or last in {
            text(name)
            for outer in ancestors(function.node)
            if outer.type == "mod_item" and (name := outer.child_by_field_name("name")) is not None
        }
    type_node = owner.child_by_field_name("type") or owner.child_by_field_name("name")
    return last == "Self" or (type_node is not None and text(type_node).partition("<")[0] == last)


def _arguments(call: Node) -> Arguments:
    if call.type == "macro_invocation":
        return _macro_arguments(call)
    given = call.child_by_field_name("arguments")
    return Arguments(tuple(node for node in given.named_children if "comment" not in node.type) if given else ())


def _macro_arguments(call: Node) -> Arguments:
    """
    What a macro is given, as far as it is one name or literal each: a macro's content is not parsed.
    """
    positional: list[Node] = []
    named: list[tuple[str, Node]] = []
    tokens: list[Node] = []
    trees = [node for node in call.named_children if node.type == "token_tree"]
    for token in trees[0].children[1:] if trees else ():
        if token.type == "," or token == trees[0].children[-1]:
            values = [node for node in tokens if node.type not in _SIGILS]
            if len(values) == 1:
                positional.append(values[0])
            elif len(values) == 3 and text(values[1]) == "=":
                named.append((text(values[0]), values[2]))
            tokens = []
        else:
            tokens.append(token)
    return Arguments(tuple(positional), tuple(named))


def _construction(call: Node, constructor: Constructor, source: Source) -> Construction:
    function = call.child_by_field_name("function")
    with_options = function is not None and text(function).endswith("with_options")
    return construction(_arguments(call).positional, options=with_options)


def _literal(node: Node) -> tuple[Part, ...] | None:
    match node.type:
        case "string_literal" | "raw_string_literal":
            return ("".join(text(child) for child in node.named_children if child.type == "string_content"),)
        case "integer_literal" | "float_literal":
            return (text(node).replace("_", ""),)
        case "boolean_literal":
            return (text(node),)
        case "identifier" if text(node) == "None":
            return ("null",)
        case "scoped_identifier" if text(node) in _MECHANISMS:
            return (_MECHANISMS[text(node)],)
        case "macro_invocation":
            return _formatted(node)
        case "call_expression":
            return _called(node)
    return None


def _called(call: Node) -> tuple[Part, ...] | None:
    function, given = call.child_by_field_name("function"), _arguments(call).positional
    if function is None:
        return None
    if (spent := duration(call)) is not None and spent[0].type == "integer_literal":
        return (str(int(text(spent[0]).replace("_", "")) * spent[1]),)
    if given and text(function) in _WRAPPING:
        return given[:1]
    field, value = function.child_by_field_name("field"), function.child_by_field_name("value")
    return (value,) if field is not None and value is not None and text(field) in _KEEPING else None


def _formatted(macro: Node) -> tuple[Part, ...] | None:
    """
    The text of ``format!("…{}…{name}", …)``.
    """
    name = macro.child_by_field_name("macro")
    tokens = next((child for child in macro.named_children if child.type == "token_tree"), None)
    if name is None or text(name) != "format" or tokens is None or not tokens.named_children:
        return None
    form = _literal(tokens.named_children[0])
    if form is None or not isinstance(form[0], str):
        return None
    given = _split(tokens)
    parts: list[Part] = []
    end = place = 0
    for found in _PLACE.finditer(form[0]):
        parts.append(form[0][end : found.start()])
        end = found.end()
        if found[0] in ("{{", "}}"):
            parts.append(found[0][0])
        elif found[1]:
            parts.append(HOLE)
        else:
            # What is more than a name is only tokens here.
            parts.append(given[place][0] if place < len(given) and len(given[place]) == 1 else HOLE)
            place += 1
    return (*parts, form[0][end:])


def _split(tokens: Node) -> list[list[Node]]:
    """
    The arguments after the first, each as its tokens.
    """
    found: list[list[Node]] = []
    for token in tokens.children[2:-1]:
        if text(token) == ",":
            found.append([])
        elif found:
            found[-1].append(token)
    return found


def _environment(node: Node) -> tuple[str, Node | None] | None:
    if node.type == "macro_invocation":
        macro = node.child_by_field_name("macro")
        if macro is not None and text(macro) in ("env", "option_env"):
            return text(node).partition('"')[2].partition('"')[0], None
    if node.type != "call_expression":
        return None
    function, given = node.child_by_field_name("function"), _arguments(node).positional
    if function is None or not given:
        return None
    if text(function) in ("std::env::var", "env::var", "var", "std::env::var_os", "dotenv::var", "dotenvy::var"):
        return text(given[0]).strip('&"'), None
    field, value = function.child_by_field_name("field"), function.child_by_field_name("value")
    if field is not None and value is not None and text(field) in _DEFAULTS and (read := _environment(value)):
        body = given[0].child_by_field_name("body") if given[0].type == "closure_expression" else given[0]
        return read[0], body
    return None


LANGUAGE = Language(
    name="rust",
    title="Rust",
    extensions=(".rs",),
    comment="//",
    grammar=("tree_sitter_rust", "language"),
    mentions=(b"mongodb",),
    query=_QUERY,
    constructors=(
        Constructor(driver="mongodb", call=r"mongodb(::|\.)sync(::|\.)Client::(with_uri_str|with_options)"),
        Constructor(driver="mongodb", call=r"(mongodb(::|\.))?Client::(with_uri_str|with_options)", asynchronous=True),
    ),
    qualified=True,
    functions=frozenset({"function_item", "closure_expression"}),
    run_once=frozenset({"static_item"}),
    assignments=frozenset({"assignment_expression"}),
    declarations=_DECLARATIONS,
    identifiers=_IDENTIFIERS,
    conditions=frozenset({"if_expression", "match_expression"}),
    returns=frozenset({"return_expression"}),
    once_calls=frozenset({"get_or_init", "get_or_try_init", "call_once", "get_or_insert_with"}),
    once_macros=frozenset({"lazy_static", "lazy_static::lazy_static", "thread_local"}),
    init_names=frozenset({"main"}),
    closers=frozenset({"shutdown"}),
    imports=_imports,
    handler=_handler,
    outliving=_outliving,
    asked=_asked,
    means=_means,
    arguments=_arguments,
    construction=_construction,
    literal=_literal,
    environment=_environment,
    entries=_entries,
)
