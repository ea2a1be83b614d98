"""
Terraform's expressions and blocks, whether they were written as HCL or as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ...location import Location


@dataclass(frozen=True, slots=True)
class Text:
    """
    A text, number, truth value or ``null``: parts that are written out, and expressions between them.
    """

    parts: tuple[str | Expression, ...]
    location: Location


@dataclass(frozen=True, slots=True)
class Reference:
    """
    A name with what follows it: ``aws_subnet.private[0].id`` is the steps ``aws_subnet private 0 id``.

    A step is ``None`` where it is a splat, or an index that is no literal.
    """

    steps: tuple[str | None, ...]
    location: Location


@dataclass(frozen=True, slots=True)
class Sequence:
    """
    ``[a, b]``
    """

    items: tuple[Expression, ...]
    location: Location


@dataclass(frozen=True, slots=True)
class Record:
    """
    ``{ a = b }``; a key that is no literal is ``None``.
    """

    entries: tuple[tuple[str | None, Expression], ...]
    location: Location


@dataclass(frozen=True, slots=True)
class Call:
    """
    ``merge(a, b...)``; ``spread`` says that the last argument is unpacked.
    """

    name: str
    arguments: tuple[Expression, ...]
    location: Location
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Other:
    """
    What is not followed (conditions, ``for``, arithmetic), and the expressions in it.
    """

    inner: tuple[Expression, ...]
    location: Location


Expression = Text | Reference | Sequence | Record | Call | Other


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """
    ``resource "type" "name" { … }``

    :param location: what stands before its body.
    :param inside: the empty stretch where an attribute can be added, ``None`` where it is written on one line.
    :param indent: of its attributes.
    """

    kind: str
    labels: tuple[str, ...] = ()
    attributes: Mapping[str, Expression] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    location: Location
    inside: Location | None = None
    indent: int = 0

    def inner(self, kind: str) -> Iterator[Block]:
        """
        Yield the blocks of one kind that stand in it.
        """
        return (block for block in self.blocks if block.kind == kind)


@dataclass(frozen=True, slots=True)
class File:
    """
    One file of a module.

    :param top: the blocks that stand in it, as the content of one block; a ``.tfvars`` has attributes only.
    :param problem: why it could not be read, or only in part.
    """

    path: str
    top: Block
    problem: str | None = None


def children(expression: Expression) -> tuple[Expression, ...]:
    """
    Return the expressions that an expression is made of.
    """
    match expression:
        case Text(parts):
            return tuple(part for part in parts if not isinstance(part, str))
        case Sequence(items):
            return items
        case Record(entries):
            return tuple(value for _, value in entries)
        case Call(_, arguments):
            return arguments
        case Other(inner):
            return inner
    return ()


def expressions(block: Block) -> Iterator[Expression]:
    """
    Yield every expression in and below a block.
    """
    stack: list[Expression | Block] = [block]
    while stack:
        current = stack.pop()
        if isinstance(current, Block):
            stack.extend(reversed(current.blocks))
            stack.extend(reversed(list(current.attributes.values())))
        else:
            yield current
            stack.extend(reversed(children(current)))
