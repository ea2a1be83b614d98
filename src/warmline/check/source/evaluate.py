"""
Values of expressions, as far as literals, constants, concatenations and reads of the environment tell them.
"""

from __future__ import annotations

from collections.abc import Mapping

from tree_sitter import Node

from ..values import HOLE, Value, decimal
from .language import Language
from .tree import REFERENCES, Source, ancestors, assigned, find, names, target, text

# A constant may be made of constants; a cycle must end.
_MOST_HOPS = 4

# An expression of constants that are made of constants grows without end; what takes longer is not known.
_MOST_STEPS = 1000

# A longer text is no option and no connection string.
_MOST_CHARACTERS = 4096

# What stands around a value without changing it.
_WRAPPERS = frozenset(
    {
        "parenthesized_expression",
        "arrow_expression_clause",
        "await_expression",
        "await",
        "as_expression",
        "satisfies_expression",
        "non_null_expression",
        "reference_expression",
        "try_expression",
    }
)

_SUBSCRIPTS = frozenset(
    {"subscript_expression", "subscript", "index_expression", "element_access_expression", "element_reference"}
)

# The value is one of the two sides.
_EITHER = frozenset({"||", "??", "or"})


class Values:
    """
    What the names of one file stand for.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._language: Language = source.language
        self._constants = _constants(source)
        self._unpacked = dict(self._language.unpacked(source))
        self._outliving: dict[int, set[str]] = {}

    def of(self, node: Node) -> Value:
        """
        Evaluate an expression.
        """
        known = _Known(_Walk())
        found = self._text(node, known, 0)
        if found is not None and found.replace(HOLE, "") == "" and found != "":
            found = None
        return Value(
            found if found is None else found[:_MOST_CHARACTERS],
            self._source.at(node),
            tuple(dict.fromkeys(known.names)),
            tuple(dict.fromkeys(known.environment)),
            tuple(dict.fromkeys(known.parts)),
        )

    def constant(self, name: str) -> Node | None:
        """
        Return what a name is given, if it is given a value just once in the file.
        """
        return self._constants.get(name)

    def _meant(self, use: Node) -> Node | None:
        """
        Return what a name is given, unless it means something else where it is used: a parameter, or a name that only
        another function has.
        """
        name = text(use)
        value = self._constants.get(name)
        if value is None:
            return None
        functions = self._language.functions
        home = next((outer for outer in ancestors(value) if outer.type in functions), None)
        for outer in ancestors(use):
            if outer == home:
                return value
            parameters = outer.child_by_field_name("parameters") if outer.type in functions else None
            if parameters is not None and name in names(parameters, self._language.identifiers):
                return None
        if home is not None and home.id not in self._outliving:
            self._outliving[home.id] = self._language.outliving(home)
        return value if home is None or name in self._outliving[home.id] else None

    def _text(self, node: Node, known: _Known, hops: int) -> str | None:
        language = self._language
        known.walk.steps += 1
        if known.walk.steps > _MOST_STEPS or node.type in language.functions:
            # What a function reads is read when it runs.
            return None
        while node.type in _WRAPPERS:
            if not node.named_children:
                return None
            node = node.named_children[0]
        if (read := language.environment(node)) is not None:
            known.environment.append(read[0])
            known.parts.append(read[0])
            return HOLE if read[1] is None else self._text(read[1], known, hops)
        if (parts := language.literal(node)) is not None:
            return "".join(part if isinstance(part, str) else self._text(part, known, hops) or HOLE for part in parts)
        if node.type in language.concatenations and len(sides := node.named_children) == 2:
            operator = _operator(node)
            if operator in _EITHER:
                return next((found for side in sides if (found := self._text(side, known, hops)) is not None), None)
            if operator in ("+", "*", "<<"):
                return _together(operator, *(self._text(side, known, hops) for side in sides))
        elif node.type in language.identifiers and hops < _MOST_HOPS:
            name = text(node)
            known.names.append(name)
            known.parts.append(name)
            if name in self._unpacked:
                known.environment.append(self._unpacked[name])
                known.parts.append(self._unpacked[name])
                return HOLE
            constant = self._meant(node)
            return self._text(constant, known, hops + 1) if constant is not None else None
        elif node.type in REFERENCES | _SUBSCRIPTS:
            known.parts.append(text(node))
        self._read(node, known, hops)
        return None

    def _read(self, node: Node, known: _Known, hops: int) -> None:
        """
        Note what is read in something else: its text is not known, and what is read need not be a part of it.
        """
        within = _Known(known.walk)
        for inner in find(node, self._language.identifiers):
            name = text(inner)
            within.names.append(name)
            if name in self._unpacked:
                within.environment.append(self._unpacked[name])
            constant = self._meant(inner)
            if constant is not None and hops < _MOST_HOPS and name not in known.walk.followed:
                known.walk.followed.add(name)
                self._text(constant, within, hops + 1)
        known.names.extend(within.names)
        known.environment.extend(within.environment)
        known.environment.extend(_environment_reads(node, self._language))


class _Walk:
    """
    One evaluation: how many expressions it has looked at, and the constants that it has looked into for what they read.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.followed: set[str] = set()


class _Known:
    """
    What an expression was seen to read.
    """

    def __init__(self, walk: _Walk) -> None:
        self.walk = walk
        self.names: list[str] = []
        self.environment: list[str] = []
        self.parts: list[str] = []


def _operator(node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return text(operator) if operator is not None else "+"


def _together(operator: str, left: str | None, right: str | None) -> str | None:
    """
    Add, multiply or join two texts.
    """
    try:
        one, other = float(left or ""), float(right or "")
    except ValueError:
        return None if operator == "*" else (left or HOLE) + (right or HOLE)
    return decimal(one * other if operator == "*" else one + other)


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
        value = assigned(assignment)
        if left is None or value is None:
            continue
        if left.type == "expression_list" and len(left.named_children) == 1:
            left = left.named_children[0]
        if value.type == "expression_list" and len(value.named_children) == 1:
            value = value.named_children[0]
        if left.type in language.identifiers:
            given.setdefault(text(left), []).append(value)
    return {name: values[0] for name, values in given.items() if len(values) == 1}
