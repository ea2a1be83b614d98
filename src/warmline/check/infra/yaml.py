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

from ..location import Location
from .nodes import Mapping, Node, Scalar, Sequence, is_null

# A larger file is no template that somebody deploys: CloudFormation takes 1 MB.
_MOST_BYTES = 10_000_000

# How JSON writes a character beyond the basic plane, which YAML refuses: two halves.
_SURROGATES = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")


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


def read(path: str, data: bytes) -> Document:
    """
    Read a file of YAML or JSON. Of several documents in it, the first.
    """
    # A check that meets no template does without.
    import yaml

    from .composer import Composer, UnreadableError

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
    composer = Composer()
    try:
        with _no_collection():
            # As long as the halves, so that all places stay as they are.
            composer.run(_SURROGATES.sub(r"\\ufffd\\ufffd", text) if "\\ud" in text.lower() else text)
    except UnreadableError as problem:
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


__all__ = ["Document", "Mapping", "Node", "Scalar", "Sequence", "is_null", "read"]
