"""
Where something stands in a file.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """
    A stretch of one file.

    :param path: as the user would write it, relative to the folder that is checked, with ``/``.
    :param line: the first line, from 1.
    :param column: the first character in it, from 1.
    :param start: offset of the first byte in the file, from 0; with ``end``, what a fix replaces.
    """

    path: str
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1
    start: int = 0
    end: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


def stretch(path: str, data: bytes, start: int, end: int) -> Location:
    """
    Tell where a stretch of a file's bytes stands.
    """
    return Location(path, *_position(data, start), *_position(data, end), start, end)


def _position(data: bytes, offset: int) -> tuple[int, int]:
    """
    Return the line and the column of a byte, both from 1, in characters.
    """
    begin = data.rfind(b"\n", 0, offset) + 1
    return data.count(b"\n", 0, offset) + 1, len(data[begin:offset].decode("utf-8", "replace")) + 1
