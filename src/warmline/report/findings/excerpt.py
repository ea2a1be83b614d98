"""
The line of a file that a finding is about, without its secrets.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cached_property

from warmline.check.location import Location
from warmline.check.masking import MASK, masked

_WIDTH = 160
_BEFORE = 60

# What would move a terminal's cursor or change its colours.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Excerpts:
    """
    Files whose lines are shown: each is masked whole, once.

    :param secrets: where something stands that is not to be shown, whatever it looks like.
    """

    def __init__(self, contents: Mapping[str, bytes], secrets: Collection[Location] = ()) -> None:
        self._contents = contents
        self._secrets = secrets
        self._files: dict[str, _File] = {}

    def line(self, location: Location) -> str | None:
        """
        Return the line as it stands in the file, its secrets masked; ``None``: there is no such line.
        """
        return self._file(location).shown(location.line)

    def marked(self, location: Location) -> tuple[str, str] | None:
        """
        Return the line and one to stand below it that marks the place; of a long line the part around the place.
        """
        file = self._file(location)
        line = file.shown(location.line)
        if line is None:
            return None
        start = min(location.column - 1, len(line))
        if line[:start] != file.original[location.line - 1][:start]:
            # A secret was masked before it, so the column is no longer right.
            return line[:_WIDTH], ""
        end = location.end_column - 1 if location.end_line == location.line else len(line.rstrip())
        end = max(start + 1, min(end, len(line.rstrip())))
        if len(line) > _WIDTH:
            cut = max(0, start - _BEFORE)
            line, start, end = line[cut : cut + _WIDTH], start - cut, min(end - cut, _WIDTH)
        blank = "".join("\t" if character == "\t" else " " for character in line[:start])
        return line.rstrip(), blank + "^" * (end - start)

    def _file(self, location: Location) -> _File:
        if location.path not in self._files:
            secrets = [secret for secret in self._secrets if secret.path == location.path]
            self._files[location.path] = _File(self._contents.get(location.path, b""), secrets)
        return self._files[location.path]


class _File:
    def __init__(self, data: bytes, secrets: Collection[Location]) -> None:
        self._text = data.decode("utf-8", "replace")
        for secret in sorted(secrets, key=lambda secret: secret.start, reverse=True):
            # All lines stay where they are.
            lines = data.count(b"\n", secret.start, secret.end)
            data = data[: secret.start] + MASK.encode() + b"\n" * lines + data[secret.end :]
        self._hidden = data.decode("utf-8", "replace")

    @cached_property
    def original(self) -> list[str]:
        return _lines(self._text)

    @cached_property
    def _masked(self) -> list[str]:
        return _lines(masked(self._hidden))

    def shown(self, number: int) -> str | None:
        return self._masked[number - 1] if number <= len(self._masked) else None


def _lines(text: str) -> list[str]:
    return [_CONTROL.sub("\N{REPLACEMENT CHARACTER}", line.removesuffix("\r")) for line in text.split("\n")]
