"""
A parsed file, and how to walk it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..location import Location, stretch

if TYPE_CHECKING:
    from tree_sitter import Node

    from .language import Language

# Kinds of names and of what belongs to a name: a, a.b, a::b.
REFERENCES = frozenset(
    {
        "identifier",
        "scoped_identifier",
        "selector_expression",
        "field_expression",
        "field_identifier",
        "member_expression",
        "member_access_expression",
        "attribute",
        "method_reference",
        "field_access",
    }
)


@dataclass(frozen=True, slots=True)
class Source:
    """
    One file's text and its syntax tree.

    :param on_lambda: whether the project is seen to hand a web application to Lambda.
    """

    path: str
    data: bytes
    root: Node
    language: Language
    # All nodes by their kinds, each with its place in the order of the text.
    _nodes: Mapping[str, list[tuple[int, Node]]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # One walk; whoever looks for something would make another.
        object.__setattr__(self, "_nodes", _by_kind(self.root))

    def find(self, kinds: AbstractSet[str]) -> list[Node]:
        """
        Return the nodes of these kinds in the whole file, in the order of the text.
        """
        found = [each for kind in kinds for each in self._nodes.get(kind, ())]
        found.sort(key=_place)
        return [node for _, node in found]

    on_lambda: bool = False

    def at(self, node: Node) -> Location:
        """
        Tell where a node stands.
        """
        return at(self.path, self.data, node)

    def stretch(self, start: int, end: int) -> Location:
        """
        Tell where a stretch of bytes stands.
        """
        return stretch(self.path, self.data, start, end)


def at(path: str, data: bytes, node: Node, last: Node | None = None) -> Location:
    """
    Tell where a node stands in a file, or what reaches from it to another one.
    """
    last = last or node
    (line, column), (end_line, end_column) = node.start_point, last.end_point
    return Location(
        path,
        line + 1,
        _characters(data, node.start_byte, column),
        end_line + 1,
        _characters(data, last.end_byte, end_column),
        node.start_byte,
        last.end_byte,
    )


def _characters(data: bytes, offset: int, column: int) -> int:
    # tree-sitter counts bytes; people and editors count characters.
    return len(data[offset - column : offset].decode("utf-8", "replace")) + 1


def _by_kind(root: Node) -> Mapping[str, list[tuple[int, Node]]]:
    nodes: dict[str, list[tuple[int, Node]]] = defaultdict(list)
    stack, place = [root], 0
    while stack:
        node = stack.pop()
        nodes[node.type].append((place, node))
        place += 1
        stack.extend(reversed(node.named_children))
    return nodes


def _place(placed: tuple[int, Node]) -> int:
    return placed[0]


def text(node: Node) -> str:
    """
    Return the node's source text.
    """
    return (node.text or b"").decode("utf-8", "replace")


def find(node: Node, kinds: AbstractSet[str]) -> Iterator[Node]:
    """
    Yield the nodes of these kinds in and below a node, in the order of the text.
    """
    stack = [node]
    while stack:
        current = stack.pop()
        if current.type in kinds:
            yield current
        stack.extend(reversed(current.named_children))


def ancestors(node: Node) -> Iterator[Node]:
    """
    Yield what the node stands in, from the inside out.
    """
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def within(outer: Node, inner: Node) -> bool:
    """
    Tell whether one node is the other or stands in it.
    """
    return outer.start_byte <= inner.start_byte and inner.end_byte <= outer.end_byte


def names(node: Node, kinds: AbstractSet[str]) -> set[str]:
    """
    Return the texts of all nodes of these kinds in and below a node.
    """
    return {text(found) for found in find(node, kinds)}


def target(assignment: Node) -> Node | None:
    """
    Return what an assignment or a declaration gives a value to.
    """
    for name in ("left", "name", "pattern"):
        if (found := assignment.child_by_field_name(name)) is not None:
            return found
    return assignment.named_children[0] if assignment.named_children else None


def assigned(assignment: Node) -> Node | None:
    """
    Return the value that an assignment or a declaration gives; ``None``: it gives none.
    """
    for name in ("right", "value"):
        if (found := assignment.child_by_field_name(name)) is not None:
            return found
    # C# has no field for it.
    if any(child.type == "=" for child in assignment.children):
        return assignment.named_children[-1]
    return None


def definition(use: Node, kinds: AbstractSet[str], functions: AbstractSet[str]) -> Node | None:
    """
    Return what a name is given, in the functions that its use stands in or else anywhere in the file.

    :param kinds: of assignments and declarations.
    :param functions: kinds of functions.
    :return: ``None``: nothing, or more than one value, or it is a parameter.
    """
    name = text(use)
    outer = use
    for outer in ancestors(use):
        if outer.type in functions or outer.parent is None:
            values = [
                value
                for assignment in find(outer, kinds)
                if (left := target(assignment)) is not None
                and last_name(text(left)) == name
                and (value := assigned(assignment)) is not None
                and value != use
            ]
            if values:
                return values[0] if len(values) == 1 else None
            parameters = outer.child_by_field_name("parameters")
            if parameters is not None and name in names(parameters, frozenset({"identifier"})):
                return None
    return None


def last_name(dotted: str) -> str:
    """
    Return the last part of ``a.b.c``, ``a::b::c`` or ``a->c``.
    """
    return dotted.replace("::", ".").replace("->", ".").replace("?.", ".").rpartition(".")[2]


def written(node: Node, assignments: AbstractSet[str], functions: AbstractSet[str]) -> str:
    """
    Return the text of a double-quoted literal, or of the one that a constant's name is given.
    """
    if node.type == "identifier":
        value = definition(node, assignments, functions)
        node = value if value is not None else node
    return text(node).strip('"')
