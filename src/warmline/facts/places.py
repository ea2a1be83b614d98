"""
What a place of a practice can hold: names of things that are there, "not yet", or a reason why never.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Filled:
    """
    The practice has its place; the names say by what, and a test finds every one of them.
    """

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotYet:
    """
    The practice belongs here and nothing fills the place so far.
    """


@dataclass(frozen=True, slots=True)
class DoesNotApply:
    """
    Nothing can or should fill this place.
    """

    because: str


Place = Filled | NotYet | DoesNotApply
