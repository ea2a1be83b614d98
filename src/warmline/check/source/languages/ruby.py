"""
Ruby: the official driver and Mongoid.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from ..facts import Import
from ..functions import CallSite, Function, Functions
from ..language import Construction, Constructor, Language, Part
from ..tree import Source, ancestors, definition, find, names, target, text
from . import ruby_options as options

_QUERY = """
(method name: (_) @function.name) @function
(singleton_method name: (_) @function.name) @function
(call method: (identifier) @callee) @call
((call receiver: (constant) @callee method: (identifier) @_new) @call (#eq? @_new "new"))
(identifier) @callee
"""

_IDENTIFIERS = frozenset({"identifier", "global_variable", "instance_variable", "class_variable", "constant"})
_OUTLIVING = _IDENTIFIERS - {"identifier"}


def _imports(source: Source) -> Iterator[Import]:
    for node in source.find(frozenset({"call"})):
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


def _means(call: CallSite, function: Function, functions: Functions) -> bool:
    """
    Tell by what stands before the dot whether a method of this file may be meant.
    """
    node, owner = call.node, functions.class_of(function)
    if node.type == "identifier":
        called = node.parent
        if called is not None and called.type == "call" and called.child_by_field_name("receiver") not in (None, node):
            # What stands after a dot is called by the call around it.
            return False
        # A local by this name hides the method.
        scope = next((outer for outer in ancestors(node) if outer.type in options.FUNCTIONS), None)
        given = (target(found) for found in find(scope, options.ASSIGNMENTS)) if scope is not None else ()
        return all(left is None or text(left) != call.name for left in given)
    receiver = node.child_by_field_name("receiver")
    if call.name == owner:
        # Repository.new runs its initialize.
        return True
    if receiver is None or text(receiver) == "self":
        return function.short != "initialize"
    if receiver.type in ("constant", "scope_resolution"):
        return owner is not None and text(receiver).rpartition("::")[2] == owner
    made = definition(receiver, options.ASSIGNMENTS, options.FUNCTIONS) if receiver.type in _IDENTIFIERS else receiver
    kind = made.child_by_field_name("receiver") if made is not None and made.type == "call" else None
    return kind is not None and kind.type == "constant" and text(kind) == owner


def _construction(call: Node, constructor: Constructor, source: Source) -> Construction:
    return options.construction(call) if constructor.uri is not None else Construction()


def _literal(node: Node) -> tuple[Part, ...] | None:
    match node.type:
        case "string":
            return tuple(
                text(child) if child.type == "string_content" else child.named_children[0]
                for child in node.named_children
                if child.type == "string_content" or child.named_children
            )
        case "chained_string":
            return tuple(node.named_children)
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
    if node.type == "binary":
        operator, left = node.child_by_field_name("operator"), node.child_by_field_name("left")
        read = _environment(left) if left is not None and operator is not None and text(operator) == "||" else None
        return (read[0], node.child_by_field_name("right")) if read is not None else None
    if node.type == "call":
        receiver, given = node.child_by_field_name("receiver"), options.arguments(node).positional
        if receiver is not None and text(receiver) == "ENV" and given:
            return text(given[0]).strip("\"'"), given[1] if len(given) > 1 else _of_block(node)
    return None


def _of_block(call: Node) -> Node | None:
    """
    The default in ``ENV.fetch("NAME") { "default" }``.
    """
    block = call.child_by_field_name("block")
    body = block.child_by_field_name("body") if block is not None else None
    found = body.named_children if body is not None else []
    return found[0] if len(found) == 1 and found[0].type == "string" else None


LANGUAGE = Language(
    name="ruby",
    title="Ruby",
    extensions=(".rb",),
    comment="#",
    grammar=("tree_sitter_ruby", "language"),
    mentions=(b"Mongo::Client", b"Mongoid", b"mongodb://", b"mongodb+srv://"),
    query=_QUERY,
    constructors=(
        Constructor(driver="mongo", call=r"(::)?Mongo::Client\.new"),
        # What it has configured before it keeps.
        Constructor(driver="mongoid", call=r"(::)?Mongoid\.load!", uri=None, reconnects=True),
    ),
    # What a block is given to may run it at any time: a route of Sinatra for every request.
    functions=options.FUNCTIONS | {"block", "do_block"},
    assignments=options.ASSIGNMENTS,
    memoizing=frozenset({"operator_assignment"}),
    identifiers=_IDENTIFIERS,
    conditions=frozenset({"if", "unless", "if_modifier", "unless_modifier", "conditional"}),
    returns=frozenset({"return"}),
    concatenations=frozenset({"binary"}),
    handler_names=frozenset({"lambda_handler", "handler"}),
    constructor_names=frozenset({"initialize"}),
    classes=frozenset({"class", "module"}),
    closers=frozenset({"close"}),
    imports=_imports,
    handler=_handler,
    outliving=_outliving,
    means=_means,
    arguments=options.arguments,
    construction=_construction,
    literal=_literal,
    environment=_environment,
)
