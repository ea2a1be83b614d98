"""
Reads a TOML file's keys one by one, and says in one line which of them is wrong, where, and what it may be.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ..errors import LabError, UnusableScenario
from ..load import read_duration

_Value = TypeVar("_Value")

_KINDS = {str: "a text", bool: "true or false", int: "a whole number", list: "a list", dict: "a table"}


class Table:
    """
    A table of the file; ``path`` is where it stands, as ``functions[1]``.

    `finish` complains of the keys that nobody has asked for.
    """

    def __init__(self, file: Path, path: str, values: dict[str, Any]) -> None:
        self.file = file
        self._path = path
        self._values = values
        self._known: list[str] = []

    def wrong(self, key: str, problem: str) -> UnusableScenario:
        """
        The error for a key of this table.
        """
        return UnusableScenario(f"{self.file}: {self._at(key)}: {problem}")

    def has(self, key: str) -> bool:
        """
        Whether the key is there.
        """
        self._known.append(key)
        return key in self._values

    def text(self, key: str, default: str | None = None) -> str:
        """
        A text; without a default it must be there.
        """
        return self._of(key, str, default)

    def number(self, key: str, default: int, least: int, most: int) -> int:
        """
        A whole number within limits.
        """
        found = self._of(key, int, default)
        if not least <= found <= most:
            raise self.wrong(key, f"{least:,} to {most:,}, not {found:,}")
        return found

    def flag(self, key: str, *, default: bool) -> bool:
        """
        Return true or false.
        """
        return self._of(key, bool, default)

    def seconds(self, key: str, default: str | None = None) -> float:
        """
        A stretch of time, as ``30s``.
        """
        return self.read(key, read_duration, default)

    def choice(self, key: str, allowed: Sequence[_Value], default: _Value) -> _Value:
        """
        One of these.
        """
        found = self._take(key, default)
        if found not in allowed:
            raise self.wrong(key, f"{_listed(allowed)}, not {found!r}{_near(found, allowed)}")
        return allowed[allowed.index(found)]

    def texts(self, key: str) -> dict[str, str]:
        """
        A table of texts.
        """
        found = self._of(key, dict, {})
        for name, value in found.items():
            if not isinstance(value, str):
                raise self.wrong(f"{key}.{name}", f"a text, not {value!r}: put it in quotes")
        return found

    def value(self, key: str, default: Any) -> Any:
        """
        Whatever stands there.
        """
        return self._take(key, default)

    def read(self, key: str, reader: Callable[[str], _Value], default: str | None = None) -> _Value:
        """
        What a reader makes of a text; its error gets the place.
        """
        text = self.text(key, default)
        try:
            return reader(text)
        except (LabError, ValueError) as error:
            raise self.wrong(key, str(error)) from None

    def table(self, key: str) -> Table:
        """
        A table below this one; an empty one if there is none.
        """
        return Table(self.file, self._at(key), self._of(key, dict, {}))

    def tables(self, key: str) -> list[Table]:
        """
        Tables below this one, as ``[[functions]]`` writes them.
        """
        found = self._of(key, list, [])
        for number, each in enumerate(found):
            if not isinstance(each, dict):
                raise self.wrong(f"{key}[{number}]", f"a table, not {each!r}: write it below [[{key}]]")
        return [Table(self.file, f"{self._at(key)}[{number}]", each) for number, each in enumerate(found)]

    def finish(self) -> None:
        """
        See that there is no other key.

        :raises UnusableScenario: there is.
        """
        for key in self._values:
            if key not in self._known:
                raise self.wrong(
                    key, f"there is no such key but {', '.join(dict.fromkeys(self._known))}{_near(key, self._known)}"
                )

    def _take(self, key: str, default: Any) -> Any:
        self._known.append(key)
        return self._values.get(key, default)

    def _of(self, key: str, kind: type[_Value], default: _Value | None) -> _Value:
        found = self._take(key, default)
        if found is None:
            raise self.wrong(key, f"it is missing: {_KINDS[kind]}")
        # A boolean is a number to Python, and to nobody else.
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            raise self.wrong(key, f"{_KINDS[kind]}, not {found!r}")
        return found

    def _at(self, key: str) -> str:
        return ".".join(filter(None, (self._path, key)))


def _listed(allowed: Sequence[object]) -> str:
    return " or ".join(repr(each) for each in allowed)


def _near(found: object, allowed: Sequence[object]) -> str:
    near = difflib.get_close_matches(str(found), [str(each) for each in allowed], 1, 0.5)
    return f"; did you mean {near[0]}?" if near else ""
