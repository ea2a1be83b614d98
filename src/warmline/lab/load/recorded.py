"""
A recording of arrivals: a CSV file with their times, and their payloads if it has them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..errors import UnusableLoad

_TIMES = ("seconds", "timestamp", "time")
_PAYLOAD = "payload"


@dataclass(frozen=True, slots=True)
class Recording:
    """
    Arrivals in their order; the first comes at once. ``payloads`` is empty where the file had none.
    """

    moments: tuple[float, ...]
    payloads: tuple[bytes, ...] = ()

    @property
    def seconds(self) -> float:
        """
        From the first to the last.
        """
        return self.moments[-1]

    def arrivals(self) -> Iterator[float]:
        """
        The moments.
        """
        return iter(self.moments)


def read_recording(path: Path) -> Recording:
    """
    Read a file with a column ``seconds``, ``timestamp`` or ``time`` and maybe one named ``payload``.

    Without a line of names the first column is the time and the second the payload. A time is a number of seconds or
    in ISO 8601; a payload is JSON.

    :raises UnusableLoad: it can't be read, or a line of it is something else.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [(line, row) for line, row in enumerate(csv.reader(file), 1) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnusableLoad(f"can't read the arrivals in {path}: {reason}; name a CSV file") from None
    time, payload = 0, 1
    if rows and _moment(rows[0][1][0]) is None:
        names = [name.strip().lower() for name in rows.pop(0)[1]]
        found = next((name for name in _TIMES if name in names), None)
        if found is None:
            raise UnusableLoad(
                f"{path} has no column of times but {', '.join(names)}: name one of them {', '.join(_TIMES)}"
            )
        time = names.index(found)
        # Past the last one if there is none.
        payload = names.index(_PAYLOAD) if _PAYLOAD in names else len(names)
    if not rows:
        raise UnusableLoad(f"{path} has no arrivals in it: a line for each, with its time in seconds or ISO 8601")
    arrivals = sorted((_arrival(path, line, row, time, payload) for line, row in rows), key=lambda arrival: arrival[0])
    payloads = tuple(payload for _, payload in arrivals if payload is not None)
    if payloads and len(payloads) < len(arrivals):
        raise UnusableLoad(f"{path} has a payload in {len(payloads)} of {len(arrivals)} lines: fill the others in too")
    return Recording(tuple(moment - arrivals[0][0] for moment, _ in arrivals), payloads)


def _arrival(path: Path, line: int, row: list[str], time: int, payload: int) -> tuple[float, bytes | None]:
    moment = _moment(row[time]) if time < len(row) else None
    if moment is None:
        told = row[time] if time < len(row) else ""
        raise UnusableLoad(f"{path}, line {line}: {told!r} is no time; write seconds or ISO 8601")
    if payload >= len(row) or not row[payload].strip():
        return moment, None
    try:
        json.loads(row[payload])
    except ValueError as error:
        raise UnusableLoad(f"{path}, line {line}: the payload is no JSON: {error}") from None
    return moment, row[payload].encode()


def _moment(text: str) -> float | None:
    """
    Seconds, of whatever clock; ``None`` if the text tells no time.
    """
    for read in (float, lambda text: datetime.fromisoformat(text).timestamp()):
        try:
            moment = float(read(text.strip()))
        except ValueError:
            continue
        # Neither NaN nor infinity is ever due.
        return moment if abs(moment) < float("inf") else None
    return None
