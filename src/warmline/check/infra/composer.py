"""
The parser's events into a tree, without recursion and with bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from .nodes import Mapping, Node, Scalar, Sequence

# So many parts, each alias counted with all that it stands for.
_MOST_NODES = 1_000_000

# So many levels, with those within aliases: what reads the tree may go down it by recursion.
_MOST_LEVELS = 100


class UnreadableError(Exception):
    """
    It can be parsed, and is not read; the message says why.
    """


@dataclass(slots=True)
class _Open:
    """
    A list or mapping that is not at its end.
    """

    node: Sequence | Mapping
    anchor: str | None
    flow: bool
    nodes_before: int
    height: int = 1
    key: Node | None = None


class Composer:
    """
    Events into nodes, without recursion and with bounds.

    Events are untyped: all of the parser's have a place, which their types leave open.
    """

    def __init__(self) -> None:
        self.root: Node | None = None
        self.problem: str | None = None
        self._open: list[_Open] = []
        # Of each anchor the node, how many nodes that is with all aliases in it, and levels; None while it is open.
        self._anchors: dict[str, tuple[Node, int, int] | None] = {}
        self._nodes = 0

    def run(self, text: str) -> None:
        """
        Read the first document, into ``root``.

        :raises UnreadableError: it goes beyond a bound, or an alias means nothing.
        :raises yaml.YAMLError: it can't be parsed.
        """
        for event in yaml.parse(text, yaml.CLoader):
            # By class, as this runs for every part.
            kind = event.__class__
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._start(event)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._end(event)
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent and self.root is not None:
                self.problem = "it holds several documents, of which only the first is read"
                return

    def _scalar(self, event: Any) -> None:
        tag = event.tag if event.tag != "!" else None
        node = Scalar(event.value, not event.style, tag, event.start_mark.index, event.end_mark.index)
        self._count(1)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, 1, 0)
        self._add(node, height=0)

    def _start(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        node: Sequence | Mapping
        if isinstance(event, yaml.SequenceStartEvent):
            node = Sequence([], event.tag, start, end)
        else:
            node = Mapping([], event.tag, not event.flow_style, start, end)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(_Open(node, event.anchor, bool(event.flow_style), self._nodes))
        self._count(1)

    def _end(self, event: Any) -> None:
        frame = self._open.pop()
        node = frame.node
        if frame.flow:
            node.end = event.end_mark.index
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (node, self._nodes - frame.nodes_before, frame.height)
        if isinstance(node, Mapping):
            self._check(node)
        self._add(node, height=frame.height)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            raise UnreadableError(f"it has an alias *{event.anchor} without an anchor")
        target = self._anchors[event.anchor]
        if target is None:
            raise UnreadableError(f"the alias *{event.anchor} stands within what it means")
        self._count(target[1])
        self._add(target[0], height=target[2], end=event.end_mark.index)

    def _add(self, node: Node, *, height: int, end: int | None = None) -> None:
        if len(self._open) + height > _MOST_LEVELS:
            raise UnreadableError(f"it is nested more than {_MOST_LEVELS} levels deep")
        if not self._open:
            self.root = node
            return
        frame = self._open[-1]
        frame.height = max(frame.height, height + 1)
        frame.node.end = max(frame.node.end, node.end if end is None else end)
        if isinstance(frame.node, Sequence):
            frame.node.items.append(node)
        elif frame.key is None:
            frame.key = node
        else:
            frame.node.pairs.append((frame.key, node))
            frame.key = None

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > _MOST_NODES:
            raise UnreadableError(f"it has more than {_MOST_NODES:,} parts, with what its aliases stand for")

    def _check(self, node: Mapping) -> None:
        names = [key.text for key, _ in node.pairs if isinstance(key, Scalar)]
        if self.problem is None and len(set(names)) < len(names):
            twice = next(name for index, name in enumerate(names) if name in names[:index])
            self.problem = f"the key {twice!r} stands twice in one mapping; the last is read"
