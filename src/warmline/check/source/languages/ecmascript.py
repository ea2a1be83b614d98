"""
What JavaScript and TypeScript have in common: the official driver and mongoose.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from ..functions import CallSite, Function, Functions
from ..language import Arguments, Construction, Constructor, Part, Setting
from ..tree import Source, find, names, target, text

_QUERY = """
(function_declaration name: (_) @function.name) @function
(method_definition name: (_) @function.name) @function
(variable_declarator name: (identifier) @function.name value: [(arrow_function) (function_expression)] @function)
(pair key: (_) @function.name value: [(arrow_function) (function_expression)] @function)
(assignment_expression
  left: [(identifier) (member_expression)] @function.name right: [(arrow_function) (function_expression)] @function)
(assignment_expression
  left: [(identifier) (member_expression)] @function.name
  right: (assignment_expression right: [(arrow_function) (function_expression)] @function))
(assignment_expression
  left: [(identifier) (member_expression)] @function.name
  right: (assignment_expression
    right: (assignment_expression right: [(arrow_function) (function_expression)] @function)))
(export_statement value: [(arrow_function) (function_expression)] @function)
(FIELD_DEFINITION FIELD_NAME: (_) @function.name value: [(arrow_function) (function_expression)] @function)
(class_declaration
  name: (_) @function.name
  body: (class_body ((FIELD_DEFINITION value: [(new_expression) (call_expression) (await_expression)]) @function
    (#not-match? @function "^((public|private|protected|readonly|override) +)*static"))))
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

_NAMES_IN_PATTERNS = IDENTIFIERS | {"shorthand_property_identifier_pattern"}

# A field's definition, as JavaScript's and as TypeScript's grammar call it.
_FIELDS = ("field_definition", "public_field_definition")

_FRESH = frozenset({"object", "array", "new_expression"})

# What tells of connections that are there: mongoose.connection.readyState, mongoose.connections.
_STATE = frozenset({"readyState", "connections"})

_GLOBAL = _STATE | {"global", "globalThis"}

CONSTRUCTORS = (
    Constructor(driver="mongodb", call=r"new ([\w$]+\.)*MongoClient", asynchronous=True),
    Constructor(driver="mongodb", call=r"([\w$]+\.)*MongoClient\.connect", asynchronous=True),
    Constructor(
        driver="mongoose", call=r"([\w$]+\.)*mongoose(\.default)?\.connect", asynchronous=True, reconnects=True
    ),
    Constructor(driver="mongoose", call=r"([\w$]+\.)*mongoose(\.default)?\.createConnection", asynchronous=True),
)


def query(*, field: str, name: str) -> str:
    """
    The grammar's query.

    :param field: what the grammar calls a field's definition, whose initialiser runs when an object is constructed.
    :param name: what it calls the field's name in it.
    """
    return _QUERY.replace("FIELD_DEFINITION", field).replace("FIELD_NAME", name)


def outliving(function: Node) -> set[str]:
    """
    What is assigned in the function and is no local of it, and what is read of mongoose's state or a global object.
    """
    local: set[str] = set()
    fresh: set[str] = set()
    found: set[str] = set()
    for declarator in find(function, frozenset({"variable_declarator"})):
        name, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
        if name is None:
            continue
        given = names(name, _NAMES_IN_PATTERNS)
        local |= given
        if value is not None and value.type in _FRESH:
            fresh |= given
        elif value is not None and names(value, IDENTIFIERS) & _GLOBAL:
            found |= given
    parameters = function.child_by_field_name("parameters")
    if parameters is not None:
        local |= names(parameters, IDENTIFIERS)
    local -= found
    for assignment in find(function, frozenset({"assignment_expression", "augmented_assignment_expression"})):
        left = target(assignment)
        if left is not None and not names(left, frozenset({"identifier"})) & fresh:
            found |= names(left, IDENTIFIERS) - local
    return found | (names(function, frozenset({"property_identifier"})) & _STATE) - {"this"}


def means(call: CallSite, function: Function, functions: Functions) -> bool:
    """
    ``connect()`` means no method, and ``db.connect()`` no function that is none.
    """
    member = function.node.type in ("method_definition", *_FIELDS) or "." in function.name
    in_object = function.node.parent is not None and function.node.parent.type == "pair"
    holder = call.callee.parent
    if call.node.type == "new_expression" or in_object:
        return True
    if holder is None or holder.type != "member_expression":
        return not member
    return member or text(holder.named_children[0]) in ("this", "exports", "module.exports")


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
    ``(uri, options)``, with the options in an object there or in a constant.
    """
    given = arguments(call)
    if constructor.uri is None or len(given.positional) <= constructor.uri:
        settings = tuple(Setting(name, node) for name, node in given.named)
        return Construction(None, settings, complete=False)
    uri = given.positional[constructor.uri]
    settings, complete = (), given.complete
    for node in given.positional[constructor.uri + 1 : constructor.uri + 2]:
        options = _object(node, source)
        if options is not None:
            settings = tuple(_settings(options))
            complete = complete and not any(part.type == "spread_element" for part in options.named_children)
        else:
            complete = complete and node.type in FUNCTIONS
    return Construction(uri, settings, complete)


# Of the object auth, and what mongoose calls them.
_LOGIN = {"user": "username", "pass": "password"}


def _settings(options: Node) -> Iterator[Setting]:
    for name, value in _pairs(options):
        if name in ("auth", "authMechanismProperties") and value.type == "object":
            yield from _settings(value)
        else:
            yield Setting(_LOGIN.get(name, name), value)


def _object(node: Node, source: Source) -> Node | None:
    """
    The object that an expression is, or a constant that nothing is assigned to later.
    """
    while node.type in ("as_expression", "satisfies_expression", "parenthesized_expression"):
        node = node.named_children[0]
    if node.type == "object":
        return node
    if node.type != "identifier":
        return None
    name = text(node)
    given = [
        declarator.child_by_field_name("value")
        for declarator in source.find(frozenset({"variable_declarator"}))
        if (declared := declarator.child_by_field_name("name")) is not None and text(declared) == name
    ]
    changed = any(
        name in names(left, frozenset({"identifier"}))
        for assignment in source.find(frozenset({"assignment_expression"}))
        if (left := assignment.child_by_field_name("left")) is not None
    )
    if changed or len(given) != 1 or given[0] is None:
        return None
    return _object(given[0], source) if given[0].type != "identifier" else None


def handed(construction: Node) -> Node | None:
    """
    ``cached`` of ``connect(uri, (error, client) => { cached = client; })`` and of ``connect(uri).then(…)``.
    """
    given = arguments(construction).positional
    callback, place = (given[-1] if given else None), 1
    member = construction.parent
    if member is not None and member.type == "member_expression" and text(member).endswith(".then"):
        then = arguments(member.parent).positional if member.parent is not None else ()
        callback, place = (then[0] if then else None), 0
    if callback is None or callback.type not in FUNCTIONS:
        return None
    parameters = callback.child_by_field_name("parameters") or callback.child_by_field_name("parameter")
    named = [parameters] if parameters is not None and parameters.type == "identifier" else []
    named = named or (parameters.named_children if parameters is not None else [])
    if len(named) <= place:
        return None
    for assignment in find(callback, frozenset({"assignment_expression"})):
        right = assignment.child_by_field_name("right")
        if right is not None and text(right) == text(named[place]).partition(":")[0]:
            return assignment.child_by_field_name("left")
    return None


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
    for declarator in source.find(frozenset({"variable_declarator"})):
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
