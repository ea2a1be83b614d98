"""
Every connection a server has seen, from its log: also those that opened and closed between two samples.

Source: https://www.mongodb.com/docs/manual/reference/log-messages/ (ids 51800, 22944, 20698, 22942, and of a
login 20250, in later versions 5286306).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from .connections import UNNAMED

CLIENT_METADATA = 51800
_CONNECTION_ENDED = 22944
_STARTED = 20698
_REFUSED = 22942
_LOGGED_IN = (20250, 5286306)


@dataclass(frozen=True, slots=True)
class ConnectionLife:
    """
    One connection of a client with this ``appName``: from its handshake to its end, in seconds of wall-clock time.

    ``ended`` is infinite while it is open.
    """

    app: str
    opened: float
    ended: float


def connection_lives(log: Path) -> list[ConnectionLife]:
    """
    Read the connections from a mongod's log.

    One that ended before its handshake is left out: nobody knows whose it was.
    """
    opened: dict[int, tuple[str, float]] = {}
    lives = []
    for entry in _entries(log, CLIENT_METADATA, _CONNECTION_ENDED, _STARTED):
        if entry["id"] == CLIENT_METADATA:
            app = _app(entry)
            if app is not None:
                opened[int(entry["ctx"].removeprefix("conn"))] = (app, _seconds(entry))
        elif entry["id"] == _STARTED:
            # Numbers begin again; of those that were open when the server ended not each is logged.
            lives += [ConnectionLife(*life, _seconds(entry)) for life in opened.values()]
            opened.clear()
        elif entry["attr"]["connectionId"] in opened:
            lives.append(ConnectionLife(*opened.pop(entry["attr"]["connectionId"]), _seconds(entry)))
    return lives + [ConnectionLife(*life, float("inf")) for life in opened.values()]


def refused_connections(log: Path) -> int:
    """
    How many connections a mongod has closed at once since it had as many as ``--maxConns`` allows.
    """
    with log.open() as lines:
        return sum(f'"id":{_REFUSED},' in line for line in lines)


def logins(log: Path) -> Counter[str]:
    """
    Count the logins that a server has accepted, by the ``appName`` of the client.
    """
    apps: dict[str, str | None] = {}
    found: Counter[str] = Counter()
    for entry in _entries(log, CLIENT_METADATA, *_LOGGED_IN):
        if entry["id"] == CLIENT_METADATA:
            apps[entry["ctx"]] = _app(entry)
        elif app := apps.get(entry["ctx"]):
            found[app] += 1
    return found


def most_open(lives: Iterable[ConnectionLife], start: float, seconds: float, step: float) -> list[int]:
    """
    The most connections that were open at once in each step of this stretch of time.
    """
    changes = sorted(change for life in lives for change in ((life.opened, 1), (life.ended, -1)))
    moments = np.array([moment for moment, _ in changes])
    counts = np.concatenate([[0], np.cumsum([change for _, change in changes])]).astype(int)
    peaks = []
    for begin in np.arange(start, start + seconds, step):
        # What was open when the step began, and after each change within it.
        first, last = np.searchsorted(moments, [begin, begin + step])
        peaks.append(int(counts[first : last + 1].max()))
    return peaks


def _entries(log: Path, *ids: int) -> Iterator[dict[str, Any]]:
    """
    The log's entries with these ids.
    """
    texts = [str(number) for number in ids]
    with log.open() as lines:
        for line in lines:
            # Most of the log is about other things, and parsing is what takes the time.
            if not any(text in line for text in texts):
                continue
            try:
                entry = json.loads(line)
            except ValueError:
                # The line that the server is writing just now.
                continue
            if entry["id"] in ids:
                yield entry


def _app(entry: dict[str, Any]) -> str | None:
    """
    What a client calls itself; ``UNNAMED`` if it says no more than that it runs on Lambda.
    """
    client = entry["attr"]["doc"]
    name: str | None = client.get("application", {}).get("name")
    return UNNAMED if name is None and client.get("env", {}).get("name") == UNNAMED else name


def _seconds(entry: dict[str, Any]) -> float:
    return datetime.fromisoformat(entry["t"]["$date"]).timestamp()
