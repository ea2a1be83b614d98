"""
Ends every process of one lab run and removes its files once the lab is gone, however it went.

`Workspace` starts this file as a script of its own: `python -I -S janitor.py DIRECTORY MARK`. MARK is the variable that
the run's processes have in their environment, `WARMLINE_LAB=token`. The script imports the standard library only, so
that it is up in 20 ms and nothing of the lab can break it.

Its standard input is a pipe whose one write end the lab holds: it ends when the lab closes it, and also when the lab
is killed. Before that it carries orders, one JSON list a line:

    ["remove-at-end", PATH]       remove this directory, and those inside, which must hold no files
    ["remove-link-at-end", NAME]  remove this network link
    ["keep-logs"]                 leave `logs/*.log` in DIRECTORY

When it is done it answers `swept N`: N processes were still there to be killed.

Processes are found by their environment in /proc. Without /proc (macOS) it finds none: there the servers end with the
`with` block they belong to, but outlive a lab that was killed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")

# A killed process may be in an uninterruptible wait; nobody wants a janitor that never ends.
PATIENCE_SECONDS = 10.0
PAUSE_SECONDS = 0.01
EMPTY_LOOKS = 5

# <linux/rtnetlink.h>, <linux/netlink.h>, <linux/if_link.h>, <linux/if.h>
RTM_DELLINK = 17
NLM_F_REQUEST = 1
IFLA_IFNAME = 3
IFNAMSIZ = 16


def main(directory: Path, mark: str) -> None:
    """
    Wait for the end of the lab, then clean up.
    """
    # Whoever ends the lab's processes by signal must not end the one that cleans up after them.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)

    orders = sys.stdin.readlines()
    killed = sweep(mark)

    keep_logs = False
    for order in map(json.loads, orders):
        match order:
            case ["remove-at-end", path]:
                remove_directories(Path(path))
            case ["remove-link-at-end", name]:
                remove_link(name)
            case ["keep-logs"]:
                keep_logs = True
    if keep_logs:
        remove_all_but_logs(directory)
    else:
        shutil.rmtree(directory, ignore_errors=True)

    # Nobody listens if the lab was killed.
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"swept {killed}\n".encode())


def sweep(mark: str) -> int:
    """
    Kill every process that carries the mark, and say how many there were.
    """
    killed: set[int] = set()
    deadline = time.monotonic() + PATIENCE_SECONDS
    # Some looks in a row must find nothing: during one, a process can start another and end before its turn comes.
    empty_looks = 0
    while empty_looks < EMPTY_LOOKS and time.monotonic() < deadline:
        found = 0
        for pid in processes_with(mark):
            found += 1
            killed.add(pid)
            # SIGKILL also ends processes that are stopped, or frozen by a cgroup v2 freezer.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        empty_looks = 0 if found else empty_looks + 1
        time.sleep(PAUSE_SECONDS)
    return len(killed)


def processes_with(mark: str) -> Iterator[int]:
    """
    Find the processes that were started with the mark in their environment, the newest first.

    The environment stays with a process through setsid, reparenting and changes of its name. A plain fork keeps its
    parent's. A chain of forks, each of which ends at once, is caught at its newest; on a busy machine that is gone
    before a look at all others has come to it.
    """
    if not PROC.is_dir():
        return
    for pid in sorted((int(process.name) for process in PROC.iterdir() if process.name.isdigit()), reverse=True):
        # The process is gone by now, or belongs to another user: then it is none of ours.
        with suppress(OSError):
            if mark.encode() in (PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                yield pid


def remove_directories(directory: Path) -> None:
    """
    Remove a directory and those inside, deepest first, without touching files: cgroupfs refuses to unlink its own.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    # The kernel gives a cgroup up a little after its last process.
    while directory.exists() and time.monotonic() < deadline:
        for inner, _, _ in os.walk(directory, topdown=False):
            with suppress(OSError):
                Path(inner).rmdir()
        time.sleep(PAUSE_SECONDS)


def remove_link(name: str) -> None:
    """
    Remove a network link, if it is still there.
    """
    link = struct.pack("BxHiII", socket.AF_UNSPEC, 0, 0, 0, 0)
    attribute = struct.pack("HH", 4 + IFNAMSIZ, IFLA_IFNAME) + name.encode().ljust(IFNAMSIZ, b"\0")
    header = struct.pack("IHHII", 16 + len(link + attribute), RTM_DELLINK, NLM_F_REQUEST, 0, 0)
    # Without an answer: it may be gone, and nothing could be done if it were not.
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(header + link + attribute)


def remove_all_but_logs(directory: Path) -> None:
    """
    Remove what is in the directory, except for the log files.
    """
    logs = directory / "logs"
    for path in [*directory.iterdir(), *logs.iterdir()]:
        if path == logs or (path.parent == logs and path.suffix == ".log"):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
