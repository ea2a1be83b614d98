"""
The parts of a YAML or JSON file, with their tags and places.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})

_MERGE = "<<"


@dataclass(slots=True, eq=False)
class Scalar:
    """
    A text, number or truth value.

    :param plain: whether it is written without quotes.
    :param tag: as it is written (``!Ref``), ``None`` where none is.
    :param start: its first character in the text, from 0.
    """

    text: str
    plain: bool
    tag: str | None
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Sequence:
    """
    A list.
    """

    items: list[Node]
    tag: str | None
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Mapping:
    """
    Names and values, in the order of the text.

    :param block: whether it is written by indentation, and not between braces.
    """

    pairs: list[tuple[Node, Node]]
    tag: str | None
    block: bool
    start: int
    end: int

    def __iter__(self) -> Iterator[tuple[Scalar, Node]]:
        """
        Yield each name that is a text, with its value; of equal names the last, and merged ones (``<<``) after all.
        """
        own = {key.text: (key, value) for key, value in self.pairs if isinstance(key, Scalar)}
        merged = own.pop(_MERGE, None)
        yield from own.values()
        if merged is not None:
            for each in merged[1].items if isinstance(merged[1], Sequence) else [merged[1]]:
                for key, value in each if isinstance(each, Mapping) else ():
                    if key.text not in own:
                        own[key.text] = (key, value)
                        yield key, value

    def get(self, name: str) -> Node | None:
        """
        Return the value of a name, ``None`` where it is not there or null.
        """
        for key, value in self:
            if key.text == name:
                return None if is_null(value) else value
        return None

    def mapping(self, name: str) -> Mapping | None:
        """
        Return the value of a name if it is a mapping.
        """
        value = self.get(name)
        return value if isinstance(value, Mapping) else None


Node = Scalar | Sequence | Mapping


def is_null(node: Node) -> bool:
    """
    Tell whether nothing is given as the value.
    """
    return isinstance(node, Scalar) and node.plain and node.tag is None and node.text in _NULLS
