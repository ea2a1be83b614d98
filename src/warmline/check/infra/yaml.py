"""
YAML and JSON as a tree that keeps tags and the place of every part. What can't be read is a problem, no exception.
"""

from __future__ import annotations

import bisect
import contextlib
import gc
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..location import Location

# A larger file is no template that somebody deploys: CloudFormation takes 1 MB.
_MOST_BYTES = 10_000_000

# So many parts, each alias counted with all that it stands for.
_MOST_NODES = 1_000_000

# So many levels, with those within aliases: what reads the tree may go down it by recursion.
_MOST_LEVELS = 100

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})

_MERGE = "<<"

# How JSON writes a character beyond the basic plane, which YAML refuses: two halves.
_SURROGATES = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")


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


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """
    One file.

    :param root: ``None`` where it can't be read.
    :param problem: why it can't be read, or only in part; one line.
    """

    path: str
    root: Node | None
    problem: str | None
    _text: str
    _lines: list[int] = field(repr=False)
    _offsets: list[int] = field(repr=False)

    def at(self, node: Node) -> Location:
        """
        Return where a part stands.
        """
        return self._stretch(node.start, node.end)

    def before(self, node: Node) -> Location | None:
        """
        Return the empty stretch at the beginning of the part's line, ``None`` if something stands before it there.
        """
        begin = self._lines[bisect.bisect_right(self._lines, node.start) - 1]
        return self._stretch(begin, begin) if not self._text[begin : node.start].strip(" ") else None

    def _stretch(self, start: int, end: int) -> Location:
        line, column, first = self._place(start)
        end_line, end_column, last = self._place(end)
        return Location(self.path, line, column, end_line, end_column, first, last)

    def _place(self, index: int) -> tuple[int, int, int]:
        line = bisect.bisect_right(self._lines, index) - 1
        begin = self._lines[line]
        return line + 1, index - begin + 1, self._offsets[line] + len(self._text[begin:index].encode())


def is_null(node: Node) -> bool:
    """
    Tell whether nothing is given as the value.
    """
    return isinstance(node, Scalar) and node.plain and node.tag is None and node.text in _NULLS


def read(path: str, data: bytes) -> Document:
    """
    Read a file of YAML or JSON. Of several documents in it, the first.
    """
    if len(data) > _MOST_BYTES:
        return Document(path, None, f"it is larger than {_MOST_BYTES // 1_000_000} MB", "", [0], [0])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Document(path, None, f"it is not UTF-8: byte {error.start}", "", [0], [0])
    lines, offsets = [0], [len(data) - len(text.encode())]
    for line in text.split("\n")[:-1]:
        lines.append(lines[-1] + len(line) + 1)
        offsets.append(offsets[-1] + len(line.encode()) + 1)
    composer = _Composer()
    try:
        with _no_collection():
            # As long as the halves, so that all places stay as they are.
            composer.run(_SURROGATES.sub(r"\\ufffd\\ufffd", text) if "\\ud" in text.lower() else text)
    except _UnreadableError as problem:
        composer.problem, composer.root = str(problem), None
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark is not None else ""
        composer.problem, composer.root = f"it can't be parsed as YAML: {error.problem}{where}", None
    except (yaml.YAMLError, ValueError) as error:
        composer.problem, composer.root = f"it can't be parsed as YAML: {str(error).splitlines()[0]}", None
    return Document(path, composer.root, composer.problem, text, lines, offsets)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """
    Keep the garbage collector from going through a growing tree again and again: half of the time of a large one.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _UnreadableError(Exception):
    pass


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


class _Composer:
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
            raise _UnreadableError(f"it has an alias *{event.anchor} without an anchor")
        target = self._anchors[event.anchor]
        if target is None:
            raise _UnreadableError(f"the alias *{event.anchor} stands within what it means")
        self._count(target[1])
        self._add(target[0], height=target[2], end=event.end_mark.index)

    def _add(self, node: Node, *, height: int, end: int | None = None) -> None:
        if len(self._open) + height > _MOST_LEVELS:
            raise _UnreadableError(f"it is nested more than {_MOST_LEVELS} levels deep")
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
            raise _UnreadableError(f"it has more than {_MOST_NODES:,} parts, with what its aliases stand for")

    def _check(self, node: Mapping) -> None:
        names = [key.text for key, _ in node.pairs if isinstance(key, Scalar)]
        if self.problem is None and len(set(names)) < len(names):
            twice = next(name for index, name in enumerate(names) if name in names[:index])
            self.problem = f"the key {twice!r} stands twice in one mapping; the last is read"
