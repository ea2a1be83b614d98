"""
The comparison of what was acknowledged with what is there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """
    What became of one number, as the function saw it: ``left_ms`` of its invocation were left when it was known.
    """

    number: int
    error: str | None
    left_ms: float


def read_entries(log: str) -> list[Entry]:
    """
    Find the entries in a function's log; a line that its end has cut short is none.
    """
    lines = (line for line in log.splitlines() if line.startswith('{"number"') and line.endswith("}"))
    return [Entry(**json.loads(line)) for line in lines]


def compare(waves: Mapping[str, Iterable[int]], entries: Iterable[Entry], there: Mapping[int, int]) -> dict[str, float]:
    """
    Count by what became of the numbers of all waves; ``there`` says how many documents hold a number.
    """
    known = list(entries)
    acknowledged = {entry.number for entry in known if entry.error is None}
    sent = {wave: set(numbers) for wave, numbers in waves.items()}
    errors = Counter(entry.number for entry in known if entry.error is not None)
    return {
        "acknowledged": len(acknowledged),
        "lost": len(acknowledged - there.keys()),
        "duplicated": sum(count > 1 for count in there.values()),
        "past_deadline": sum(entry.left_ms <= 0 for entry in known if entry.error is None),
        "errors": errors.total(),
        "unanswered": len(set().union(*sent.values()) - acknowledged - errors.keys()),
        "unacknowledged_but_there": len(there.keys() - acknowledged),
        **{f"unacknowledged_{wave}": len(numbers - acknowledged) for wave, numbers in sent.items()},
    }
