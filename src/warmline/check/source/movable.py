"""
A client that is constructed in a handler and could as well be at module level: what a fix needs to move it there.
"""

from __future__ import annotations

from tree_sitter import Node

from .facts import Move
from .functions import CallSite, Function, Functions
from .tree import Source, ancestors, find, names, target, text

# A statement that gives one name the construction, by language.
_STATEMENTS = {
    "python": "expression_statement",
    "javascript": "lexical_declaration",
    "typescript": "lexical_declaration",
}

_BODIES = frozenset({"block", "statement_block"})
_MODULES = frozenset({"module", "program"})


def move(call: CallSite, name: str | None, owner: Function, functions: Functions) -> Move | None:
    """
    Say how to move a construction out of the function it stands in; ``None``: not without a doubt.

    It must be a statement of the handler's own body that gives a name the client, and read nothing but what the module
    has before the handler. The name must have no other use in the module, and nothing may close it.
    """
    source = functions.source
    statement = _statement(call.node, source)
    top = _top_level(owner.node)
    if name is None or not name.isidentifier() or statement is None or top is None or owner.handler is None:
        return None
    body = owner.node.child_by_field_name("body")
    if body is None or statement.parent != body or len(body.named_children) < 2:
        return None
    arguments = call.node.child_by_field_name("arguments")
    if arguments is None or next(find(statement, frozenset({"await", "await_expression", "yield"})), None) is not None:
        return None
    if not _known_before(arguments, owner, top, source) or _used_otherwise(name, owner, functions):
        return None
    start = source.data.rfind(b"\n", 0, statement.start_byte) + 1
    end = source.data.find(b"\n", statement.end_byte) + 1 or len(source.data)
    after = source.data[statement.end_byte : end].strip()
    if source.data[start : statement.start_byte].strip() or b"\n" in source.data[start : end - 1]:
        return None
    if after.strip(b";") and not after.startswith(source.language.comment.encode()):
        # Something else stands in its line.
        return None
    line = source.data[statement.start_byte : end].decode("utf-8", "replace").rstrip()
    between = "\n\n\n" if source.language.name == "python" else "\n\n"
    return Move(source.stretch(start, end), source.stretch(top.start_byte, top.start_byte), line + between)


def _statement(construction: Node, source: Source) -> Node | None:
    kind = _STATEMENTS.get(source.language.name)
    assignment = construction.parent
    if assignment is None or assignment.type not in source.language.assignments | source.language.declarations:
        return None
    statement = assignment.parent
    if statement is None or statement.type != kind or len(statement.named_children) != 1:
        return None
    return statement if statement.parent is not None and statement.parent.type in _BODIES else None


def _top_level(function: Node) -> Node | None:
    """
    The statement of the module that the function stands in, if it stands in no other function and no class.
    """
    inner = function
    for outer in ancestors(function):
        if outer.type in _MODULES:
            return inner
        if outer.type in _BODIES or "class" in outer.type:
            return None
        inner = outer
    return None


def _known_before(arguments: Node, owner: Function, top: Node, source: Source) -> bool:
    language = source.language
    read = names(arguments, frozenset({"identifier"}))
    own: set[str] = set()
    for parameter in owner.parameters:
        own |= names(parameter, language.identifiers)
    late: set[str] = set()
    for binding in source.find(language.assignments | language.declarations | language.functions):
        given = target(binding)
        if given is None:
            continue
        if owner.node.start_byte <= binding.start_byte < owner.node.end_byte:
            own |= names(given, language.identifiers)
        elif binding.start_byte > top.start_byte:
            late |= names(given, language.identifiers)
    return not read & (own | late)


def _used_otherwise(name: str, owner: Function, functions: Functions) -> bool:
    language = functions.source.language
    closed = any(call.name in language.closers and text(call.node).startswith(f"{name}.") for call in functions.calls)
    uses = [node for node in functions.source.find(frozenset({"identifier"})) if text(node) == name]
    outside = any(not owner.node.start_byte <= node.start_byte < owner.node.end_byte for node in uses)
    given = 0
    for assignment in find(owner.node, language.assignments | language.declarations):
        left = target(assignment)
        given += left is not None and name in names(left, language.identifiers)
    return closed or outside or given != 1
