"""
Values of expressions, as far as literals, constants, concatenations and reads of the environment tell them.
"""

from __future__ import annotations

from collections.abc import Mapping

from tree_sitter import Node

from ..values import HOLE, Value, decimal
from .language import Language
from .tree import REFERENCES, Source, ancestors, assigned, find, names, target, text, within

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
        self._given = _given(source)
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
        given = self._given.get(name, ())
        return given[0][1] if len(given) == 1 else None

    def _meant(self, use: Node) -> Node | None:
        """
        Return what a name is given where it is used, if that is one value: not a parameter, nor a name that only
        another function has.
        """
        name = text(use)
        if name not in self._given:
            return None
        functions = self._language.functions
        given = self._given[name]
        for outer in ancestors(use):
            if outer.type not in functions:
                continue
            if any(home == outer for home, _ in given) and name not in self._outliving_of(outer):
                # Its own, and functions in it may give it another value.
                here = [value for home, value in given if home is not None and within(outer, home)]
                return here[0] if len(here) == 1 else None
            parameters = outer.child_by_field_name("parameters")
            if parameters is not None and name in names(parameters, self._language.identifiers):
                return None
        shared = [value for home, value in given if home is None or name in self._outliving_of(home)]
        return shared[0] if len(shared) == 1 else None

    def _outliving_of(self, function: Node) -> set[str]:
        if function.id not in self._outliving:
            self._outliving[function.id] = self._language.outliving(function)
        return self._outliving[function.id]

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
        inside = _Known(known.walk)
        for inner in find(node, self._language.identifiers):
            name = text(inner)
            inside.names.append(name)
            if name in self._unpacked:
                inside.environment.append(self._unpacked[name])
            constant = self._meant(inner)
            if constant is not None and hops < _MOST_HOPS and name not in known.walk.followed:
                known.walk.followed.add(name)
                self._text(constant, inside, hops + 1)
        known.names.extend(inside.names)
        known.environment.extend(inside.environment)
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


def _given(source: Source) -> Mapping[str, list[tuple[Node | None, Node]]]:
    """
    The values that names are given in the file, each with the innermost function that it is given in.
    """
    language = source.language
    given: dict[str, list[tuple[Node | None, Node]]] = {}
    for assignment in source.find(language.declarations | language.assignments):
        left = target(assignment)
        value = assigned(assignment)
        if left is None or value is None:
            continue
        if left.type == "expression_list" and len(left.named_children) == 1:
            left = left.named_children[0]
        if value.type == "expression_list" and len(value.named_children) == 1:
            value = value.named_children[0]
        if left.type in language.identifiers:
            home = next((outer for outer in ancestors(left) if outer.type in language.functions), None)
            given.setdefault(text(left), []).append((home, value))
    return given
