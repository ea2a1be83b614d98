"""
Every connection a server has seen, from its log: also those that opened and closed between two samples.

Source: https://www.mongodb.com/docs/manual/reference/log-messages/ (ids 51800 and 22944).
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_CLIENT_METADATA = 51800
_CONNECTION_ENDED = 22944


@dataclass(frozen=True, slots=True)
class ConnectionsSeen:
    """
    How many connections clients of one ``appName`` have created on a node, and how many of them have ended.
    """

    created: int
    ended: int


def connections_seen(log: Path) -> dict[str, ConnectionsSeen]:
    """
    Count the connections in a mongod's log by the ``appName`` that their client gave in its handshake.

    One that ended before its handshake is not counted: nobody knows whose it was.
    """
    app_of: dict[int, str] = {}
    ended: Counter[str] = Counter()
    with log.open() as lines:
        for line in lines:
            # Most of the log is about other things, and parsing is what takes the time.
            if str(_CLIENT_METADATA) not in line and str(_CONNECTION_ENDED) not in line:
                continue
            try:
                entry = json.loads(line)
            except ValueError:
                # The line that the server is writing just now.
                continue
            if entry["id"] == _CLIENT_METADATA:
                app = entry["attr"]["doc"].get("application", {}).get("name")
                if app is not None:
                    app_of[int(entry["ctx"].removeprefix("conn"))] = app
            elif entry["id"] == _CONNECTION_ENDED:
                app = app_of.get(entry["attr"]["connectionId"])
                if app is not None:
                    ended[app] += 1
    created = Counter(app_of.values())
    return {app: ConnectionsSeen(created[app], ended[app]) for app in created}
