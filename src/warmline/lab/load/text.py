"""
Load as people write it: ``constant:20/s for 30s``, ``burst:200 at 5s``, ``csv:arrivals.csv``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import UnusableLoad
from .patterns import Burst, Poisson, Rates, constant, diurnal, ramp, spike
from .recorded import Recording, read_recording

_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}

_NUMBER = r"\d+(?:\.\d+)?"
_DURATION = rf"{_NUMBER} ?(?:ms|s|min|h)"
_PER = r"(?:s|min|h)"

# A driver that starts more is its own bottleneck on any machine.
_MOST_PER_SECOND = 10_000
_MOST_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Callers:
    """
    A closed loop: so many callers, each of whom calls again as soon as there is an answer.
    """

    number: int
    seconds: float


Pattern = Rates | Burst | Poisson | Recording | Callers


@dataclass(frozen=True, slots=True)
class Load:
    """
    A pattern, when it begins, and how it was written.
    """

    text: str
    pattern: Pattern
    begins: float = 0.0

    @property
    def seconds(self) -> float:
        """
        When it has given its last invocation.
        """
        return self.begins + self.pattern.seconds


def parse_load(text: str, folder: Path = Path()) -> Load:
    """
    Read a load.

    :param folder: what the path of a recording is relative to
    :raises UnusableLoad: it is none; the text says how it would be written.
    """
    name, _, rest = text.strip().partition(":")
    if name == "csv":
        return Load(text, read_recording(folder / rest.strip()))
    if name not in _FORMS:
        near = difflib.get_close_matches(name, [*_FORMS, "csv"], 1)
        hint = f"did you mean {near[0]}?" if near else "for example constant:20/s for 30s"
        raise UnusableLoad(f"load {text!r}: there is no pattern {name!r} but {', '.join((*_FORMS, 'csv'))}; {hint}")
    form = _FORMS[name]
    found = re.fullmatch(rf"{form.pattern}(?: at (?P<begins>{_DURATION}))?", rest.strip())
    if found is None:
        raise UnusableLoad(f"load {text!r} can't be read: write {form.example}, and when it begins as in: … at 5s")
    groups = {name: value for name, value in found.groupdict().items() if value is not None}
    begins = read_duration(groups.pop("begins", "0s"))
    try:
        return Load(text, form.make(groups), begins)
    except ValueError as error:
        raise UnusableLoad(f"load {text!r}: {error}") from None


def read_duration(text: str) -> float:
    """
    Seconds, of a text such as ``1.5s``, ``250ms``, ``2min`` or ``1h``.

    :raises ValueError: it is none.
    """
    found = re.fullmatch(rf"({_NUMBER}) ?(ms|s|min|h)", text.strip())
    if found is None:
        msg = f"{text!r} is no time: write it as 250ms, 30s, 2min or 1h"
        raise ValueError(msg)
    return float(found[1]) * _UNITS[found[2]]


@dataclass(frozen=True, slots=True)
class _Form:
    """
    How one pattern is written, and what is made of the parts.
    """

    pattern: str
    example: str
    make: Callable[[dict[str, str]], Pattern]


def _rate(number: str, unit: str) -> float:
    rate = float(number) / _UNITS[unit]
    if rate > _MOST_PER_SECOND:
        msg = f"{rate:,.0f} a second are more than the {_MOST_PER_SECOND:,} that one driver starts"
        raise ValueError(msg)
    return rate


def _at_once(number: str) -> int:
    if not 1 <= int(number) <= _MOST_AT_ONCE:
        msg = f"1 to {_MOST_AT_ONCE:,} at once, not {int(number):,}"
        raise ValueError(msg)
    return int(number)


def _seconds(text: str) -> float:
    seconds = read_duration(text)
    if not seconds:
        msg = "it lasts for no time; write how long, as in: … for 30s"
        raise ValueError(msg)
    return seconds


def _one_rate(groups: dict[str, str]) -> float:
    rate = _rate(groups["rate"], groups["unit"])
    if not rate:
        msg = "a rate of 0 is no load"
        raise ValueError(msg)
    return rate


def _two_rates(make: Callable[[float, float, float], Rates]) -> Callable[[dict[str, str]], Rates]:
    def pattern(groups: dict[str, str]) -> Rates:
        first, second = (_rate(groups[name], groups["unit"]) for name in ("first", "second"))
        if not first + second:
            msg = "a rate of 0 is no load"
            raise ValueError(msg)
        return make(first, second, _seconds(groups["seconds"]))

    return pattern


_FOR = rf" for (?P<seconds>{_DURATION})"
_ONE_RATE = rf"(?P<rate>{_NUMBER})/(?P<unit>{_PER}){_FOR}"
_TWO_RATES = rf"(?P<first>{_NUMBER})\.\.(?P<second>{_NUMBER})/(?P<unit>{_PER}){_FOR}"

_FORMS = {
    "constant": _Form(
        _ONE_RATE, "constant:20/s for 30s", lambda groups: constant(_one_rate(groups), _seconds(groups["seconds"]))
    ),
    "ramp": _Form(_TWO_RATES, "ramp:0..50/s for 60s", _two_rates(ramp)),
    "burst": _Form(r"(?P<number>\d+)", "burst:200", lambda groups: Burst(_at_once(groups["number"]))),
    "spike": _Form(_TWO_RATES, "spike:5..100/s for 60s", _two_rates(spike)),
    "diurnal": _Form(_TWO_RATES, "diurnal:2..40/s for 2min", _two_rates(diurnal)),
    "poisson": _Form(
        rf"{_ONE_RATE}(?: seed (?P<seed>\d+))?",
        "poisson:20/s for 30s seed 7",
        lambda groups: Poisson(_one_rate(groups), _seconds(groups["seconds"]), int(groups.get("seed", "0"))),
    ),
    "callers": _Form(
        rf"(?P<number>\d+){_FOR}",
        "callers:20 for 30s",
        lambda groups: Callers(_at_once(groups["number"]), _seconds(groups["seconds"])),
    ),
}
