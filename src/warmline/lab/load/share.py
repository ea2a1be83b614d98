"""
One load for several drivers, each of which gives a part of it.
"""

from __future__ import annotations

import dataclasses

from .recorded import Recording
from .text import Callers, Load


def share(load: Load, number: int, of: int) -> Load | None:
    """
    Return every so-many-th arrival of a load, from this number on; ``None`` if that is none.

    The parts of all numbers together are the load.
    """
    pattern = load.pattern
    if isinstance(pattern, Callers):
        callers = len(range(number, pattern.number, of))
        part: Callers | Recording | None = Callers(callers, pattern.seconds) if callers else None
    else:
        moments = tuple(pattern.arrivals())[number::of]
        payloads = pattern.payloads[number::of] if isinstance(pattern, Recording) else ()
        part = Recording(moments, payloads) if moments else None
    return dataclasses.replace(load, pattern=part) if part else None
