"""
The connections of a function that nobody knows beforehand: by the servers' logs, or by its own sockets.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import psutil

from ..cluster.replica_set import APP_NAME
from .server_log import CLIENT_METADATA

# The drivers by which members talk to each other.
INTERNAL_DRIVERS = ("MongoDB Internal Client", "NetworkInterfaceTL")


class OpenedConnections:
    """
    Counts the connections that clients open, whatever they call themselves; the lab's and the members' are left out.

    :param logs: the servers' log files, by what a server is called in the counts
    """

    def __init__(self, logs: Mapping[str, Path]) -> None:
        self._logs = logs
        self._read = {name: log.stat().st_size for name, log in logs.items()}

    def since_last(self) -> dict[str, int]:
        """
        Count those of each server since the last time.
        """
        return {name: self._new(name, log) for name, log in self._logs.items()}

    def _new(self, name: str, log: Path) -> int:
        with log.open("rb") as file:
            file.seek(self._read[name])
            # The server may be writing its last line just now.
            lines = file.read().rpartition(b"\n")[0]
        self._read[name] += len(lines) + (1 if lines else 0)
        return sum(
            _is_clients(json.loads(line)) for line in lines.splitlines() if str(CLIENT_METADATA).encode() in line
        )


def _is_clients(entry: dict[str, Any]) -> bool:
    if entry["id"] != CLIENT_METADATA:
        return False
    client = entry["attr"]["doc"]
    return client.get("application", {}).get("name") != APP_NAME and not client["driver"]["name"].startswith(
        INTERNAL_DRIVERS
    )


def open_sockets(pids: Iterable[int]) -> dict[str, int]:
    """
    Count the TCP connections that these processes and their children have open, by the address at the other end.

    Those to this process, the Runtime API's, are left out.
    """
    ours = {each.laddr.port for each in psutil.Process().net_connections("tcp") if each.status == psutil.CONN_LISTEN}
    counts: Counter[str] = Counter()
    for pid in pids:
        try:
            process = psutil.Process(pid)
            family = [process, *process.children(recursive=True)]
            open_ones = [each for one in family for each in one.net_connections("tcp")]
        except psutil.Error:
            # It has ended meanwhile.
            continue
        for each in open_ones:
            if each.status == psutil.CONN_ESTABLISHED and each.raddr.port not in ours:
                counts[f"{each.raddr.ip}:{each.raddr.port}"] += 1
    return dict(sorted(counts.items()))
