"""
The failures of a load by kind, with the message that stands for each.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ..load import Call

_LONGEST = 160

# What differs from one failure to the next of the same kind: identifiers, addresses' ports, counts, durations.
_REQUEST_ID = re.compile(r"RequestId: [0-9a-f-]{36} (Error: )?")
_CHANGING = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|0x[0-9a-f]+|[0-9a-f]{12,}|\d+(?:\.\d+)?")
_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Failure:
    """
    So many failures that differ in numbers only; ``message`` is the first one's, without a login, and ``kind`` what
    they have in common.
    """

    kind: str
    message: str
    times: int


def most_frequent(calls: Iterable[Call], most: int) -> list[Failure]:
    """
    The failures that came most often, at most so many kinds of them.
    """
    times: Counter[str] = Counter()
    first: dict[str, str] = {}
    for call in calls:
        if call.outcome == "failed":
            message = _LOGIN.sub("***@", _REQUEST_ID.sub("", call.error)) or "an error without a message"
            kind = _CHANGING.sub("0", message)
            times[kind] += 1
            first.setdefault(kind, message)
    return [Failure(kind, _short(first[kind]), number) for kind, number in times.most_common(most)]


def _short(message: str) -> str:
    return message if len(message) <= _LONGEST else f"{message[: _LONGEST - 1]}…"
