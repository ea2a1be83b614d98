"""
Values of expressions, as far as literals, constants, concatenations and reads of the environment tell them.
"""

from __future__ import annotations

from collections.abc import Mapping

from tree_sitter import Node

from ..values import HOLE, Value
from .language import Language
from .tree import Source, find, target, text

# A constant may be made of constants; a cycle must end.
_MOST_HOPS = 4

# A longer text is no option and no connection string.
_MOST_CHARACTERS = 4096


class Values:
    """
    What the names of one file stand for.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._language: Language = source.language
        self._constants = _constants(source)

    def of(self, node: Node) -> Value:
        """
        Evaluate an expression.
        """
        known = _Known()
        found = self._text(node, known, 0)
        if found is not None and found.replace(HOLE, "") == "" and found != "":
            found = None
        return Value(
            found if found is None else found[:_MOST_CHARACTERS],
            self._source.at(node),
            tuple(dict.fromkeys(known.names)),
            tuple(dict.fromkeys(known.environment)),
        )

    def constant(self, name: str) -> Node | None:
        """
        Return what a name is given, if it is given a value just once in the file.
        """
        return self._constants.get(name)

    def _text(self, node: Node, known: _Known, hops: int) -> str | None:
        language = self._language
        while node.type in ("parenthesized_expression", "await_expression", "as_expression", "non_null_expression"):
            if not node.named_children:
                return None
            node = node.named_children[0]
        if (read := language.environment(node)) is not None:
            known.environment.append(read[0])
            return HOLE if read[1] is None else self._text(read[1], known, hops)
        if (parts := language.literal(node)) is not None:
            return "".join(part if isinstance(part, str) else self._text(part, known, hops) or HOLE for part in parts)
        if node.type in language.concatenations and len(sides := node.named_children) == 2:
            return "".join(self._text(side, known, hops) or HOLE for side in sides)
        if node.type in language.identifiers and hops < _MOST_HOPS:
            name = text(node)
            known.names.append(name)
            constant = self._constants.get(name)
            return self._text(constant, known, hops + 1) if constant is not None else None
        # Something else: what is read in it may still be worth knowing.
        for inner in find(node, language.identifiers):
            known.names.append(text(inner))
            constant = self._constants.get(text(inner))
            if constant is not None and hops < _MOST_HOPS:
                self._text(constant, known, hops + 1)
        known.environment.extend(_environment_reads(node, language))
        return None


class _Known:
    """
    What an expression was seen to read.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.environment: list[str] = []


def _environment_reads(node: Node, language: Language) -> list[str]:
    found = []
    stack = [node]
    while stack:
        current = stack.pop()
        read = language.environment(current)
        if read is not None:
            found.append(read[0])
        else:
            stack.extend(current.named_children)
    return found


def _constants(source: Source) -> Mapping[str, Node]:
    """
    The names that are given a value just once in the file, wherever, and what they are given.
    """
    language = source.language
    given: dict[str, list[Node]] = {}
    for assignment in find(source.root, language.declarations | language.assignments):
        left = target(assignment)
        value = assignment.child_by_field_name("right") or assignment.child_by_field_name("value")
        if left is None or value is None:
            continue
        if left.type == "expression_list" and len(left.named_children) == 1:
            left = left.named_children[0]
        if value.type == "expression_list" and len(value.named_children) == 1:
            value = value.named_children[0]
        if left.type in language.identifiers:
            given.setdefault(text(left), []).append(value)
    return {name: values[0] for name, values in given.items() if len(values) == 1}
