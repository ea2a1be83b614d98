"""
What a JavaScript or TypeScript module takes from others and gives to them, by ECMAScript's statements or CommonJS's.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from ..facts import Import
from ..tree import Source, find, text

_EXPORTS = ("exports", "module.exports")


@dataclass(frozen=True, slots=True)
class Export:
    """
    One value that other modules get.

    :param name: as they call it; ``default`` for what is the whole module or its default.
    """

    name: str
    value: Node


def imports(source: Source) -> Iterator[Import]:
    """
    ``import`` statements, and calls of ``require`` and ``import``.
    """
    for node in source.find(frozenset({"import_statement"})):
        where = node.child_by_field_name("source") or next(find(node, frozenset({"string"})), None)
        if where is not None:
            yield from _imported(node, text(where).strip("\"'`"), source)
    for node in source.find(frozenset({"variable_declarator"})):
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
    for found in find(statement, frozenset({"import_require_clause"})):
        yield Import(text(found.named_children[0]), module, _default(module), at)


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
    while node is not None and node.type in ("await_expression", "parenthesized_expression"):
        node = node.named_children[0]
    if node is None or node.type != "call_expression":
        return None
    function, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if function is None or given is None or not given.named_children:
        return None
    if text(function) not in ("require", "import"):
        # TypeScript's compiler writes __importDefault(require("mongoose")).
        return _module(given.named_children[0]) if text(function).startswith("__import") else None
    return text(given.named_children[0]).strip("\"'`")


@functools.lru_cache(maxsize=1)
def exports(source: Source) -> tuple[Export, ...]:
    """
    Return everything that the module exports by one of its own statements.
    """
    return tuple(_exports(source))


def _exports(source: Source) -> Iterator[Export]:
    for node in source.find(frozenset({"export_statement"})):
        yield from _exported(node)
    for node in source.find(frozenset({"assignment_expression"})):
        left, value = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or value is None:
            continue
        while value.type == "assignment_expression" and (right := value.child_by_field_name("right")) is not None:
            value = right
        holder, _, name = text(left).rpartition(".")
        if text(left) in _EXPORTS:
            yield from _members(value)
        elif holder in _EXPORTS:
            yield Export(name, value)


def _exported(statement: Node) -> Iterator[Export]:
    declaration = statement.child_by_field_name("declaration")
    value = statement.child_by_field_name("value")
    if declaration is not None:
        named = (
            declaration.named_children
            if declaration.type in ("lexical_declaration", "variable_declaration")
            else [declaration]
        )
        for node in named:
            name = node.child_by_field_name("name")
            yield Export(text(name) if name is not None else "default", node.child_by_field_name("value") or node)
    elif value is not None:
        yield from _members(value)
    elif statement.child_by_field_name("source") is None:
        for specifier in find(statement, frozenset({"export_specifier"})):
            name, alias = specifier.child_by_field_name("name"), specifier.child_by_field_name("alias")
            if name is not None:
                yield Export(text(alias or name), name)
        # TypeScript has a third form for one value, with an equals sign.
        if statement.named_children and statement.named_children[0].type not in ("export_clause", "decorator"):
            yield Export("default", statement.named_children[0])


def _members(value: Node) -> Iterator[Export]:
    if value.type != "object":
        yield Export("default", value)
        return
    for member in value.named_children:
        key, given = member.child_by_field_name("key"), member.child_by_field_name("value")
        if key is not None and given is not None:
            yield Export(text(key).strip("\"'"), given)
        elif member.type == "shorthand_property_identifier":
            yield Export(text(member), member)
        elif member.type == "method_definition" and (name := member.child_by_field_name("name")) is not None:
            yield Export(text(name), member)
