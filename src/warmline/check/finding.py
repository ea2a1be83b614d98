"""
What a rule has found: the rule, where, how sure, and the way there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from .location import Location


class Severity(IntEnum):
    """
    What the finding costs: nothing but a chance missed, something under load, or an outage or a breach.
    """

    INFO = 1
    WARNING = 2
    ERROR = 3


class Confidence(IntEnum):
    """
    How sure it is that the code does what the finding says.
    """

    LOW = 1
    MEDIUM = 2
    HIGH = 3


@dataclass(frozen=True, slots=True)
class Step:
    """
    One place on the way from a handler to the finding, or another place that has to do with it.
    """

    text: str
    location: Location


@dataclass(frozen=True, slots=True)
class Edit:
    """
    Replace what stands at the location (nothing, if it is empty) by this text.
    """

    location: Location
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """
    A change that removes the finding and changes nothing else.

    :param title: what it does, in the imperative.
    """

    title: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One place that breaks a practice.

    :param message: one line: what, and what follows from it. No secret: those are masked by who writes it.
    :param remedy: one line: what to do.
    :param path: the way from the handler, outermost first; empty where there is none to show.
    :param secret: whether what stands at its location must not be shown.
    """

    rule: str
    practice: str
    severity: Severity
    confidence: Confidence
    location: Location
    message: str
    remedy: str
    path: tuple[Step, ...] = ()
    fix: Fix | None = None
    secret: bool = False
