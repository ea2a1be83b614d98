"""
What can be known of an expression's value without running it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .location import Location

# Stands in a text for a part that only the running program knows.
HOLE = "{}"


@dataclass(frozen=True, slots=True)
class Value:
    """
    A text, number or truth value, as far as the source tells it.

    :param text: its text, with :data:`HOLE` for each part that is not known; numbers in decimal, ``true``, ``false``
        and ``null`` in small letters whatever the language. ``None``: nothing of it is known.
    :param names: the variables, attributes and template references that are read in it.
    :param environment: the environment variables that are read in it, directly or through a constant.
    :param parts: those of all these that stand in the text as they are, and attributes and subscripts as they are
        written: ``uri`` of ``"at " + uri``, not of ``len(uri)``.
    """

    text: str | None
    location: Location
    names: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """
        Whether all of the text is known.
        """
        return self.text is not None and HOLE not in self.text

    def reads(self, name: str) -> bool:
        """
        Tell whether a name, or an attribute of what has that name, is read in it.
        """
        return any(each == name or each.startswith(f"{name}.") for each in self.names)

    @property
    def number(self) -> float | None:
        """
        The value as a number, ``None`` where it is none or not known.
        """
        try:
            return float(self.text.replace("_", "")) if self.text is not None else None
        except ValueError:
            return None


def decimal(number: float) -> str:
    """
    Write a number as a value's text, in full.
    """
    return str(int(number)) if number == int(number) else repr(number)
