"""
Stops an environment between invocations, as Lambda does, and lets it go on.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Literal, Protocol

from ..workspace import Workspace
from .processes import EnvironmentProcess

FreezerName = Literal["cgroup", "signal"]


class Freezer(Protocol):
    """
    One way to stop all processes of an environment.
    """

    name: FreezerName

    def group(self, environment: str) -> Path | None:
        """
        Make the cgroup that the environment's processes are to be in, where this way needs one.
        """

    def freeze(self, process: EnvironmentProcess, group: Path | None) -> None:
        """
        Stop it.
        """

    def thaw(self, process: EnvironmentProcess, group: Path | None) -> None:
        """
        Let it go on.
        """

    def forget(self, group: Path | None) -> None:
        """
        End what is left in the group of an environment that has ended, and remove the group.
        """


class CgroupFreezer:
    """
    The cgroup v2 freezer: stops every process of the environment at once, also those that left its process group.

    Source: https://docs.kernel.org/admin-guide/cgroup-v2.html (``cgroup.freeze``, ``cgroup.kill``).
    """

    name: FreezerName = "cgroup"

    def __init__(self, parent: Path) -> None:
        self._parent = parent

    def group(self, environment: str) -> Path | None:
        group = self._parent / environment
        group.mkdir()
        return group

    def freeze(self, process: EnvironmentProcess, group: Path | None) -> None:
        self._write(group, "cgroup.freeze", b"1")

    def thaw(self, process: EnvironmentProcess, group: Path | None) -> None:
        self._write(group, "cgroup.freeze", b"0")

    def forget(self, group: Path | None) -> None:
        if group is None:
            return
        # A process of it may still be ending: then the janitor removes the group with its parent. It may also be gone
        # by now, when an environment is ended from two sides.
        with suppress(OSError):
            self._write(group, "cgroup.kill", b"1")
            group.rmdir()

    def _write(self, group: Path | None, file: str, value: bytes) -> None:
        if group is None:
            return
        # Twice for each invocation: without what a text file does beside.
        descriptor = os.open(f"{group}/{file}", os.O_WRONLY)
        try:
            os.write(descriptor, value)
        finally:
            os.close(descriptor)


class SignalFreezer:
    """
    SIGSTOP and SIGCONT to the process group: needs no rights; what has left the group runs on.
    """

    name: FreezerName = "signal"

    def group(self, environment: str) -> Path | None:
        return None

    def freeze(self, process: EnvironmentProcess, group: Path | None) -> None:
        process.signal_group(signal.SIGSTOP)

    def thaw(self, process: EnvironmentProcess, group: Path | None) -> None:
        process.signal_group(signal.SIGCONT)

    def forget(self, group: Path | None) -> None:
        return


def best_freezer(workspace: Workspace) -> Freezer:
    """
    Take the cgroup freezer where this process may make cgroups below its own, and signals elsewhere.
    """
    own = _own_group()
    if own is None:
        return SignalFreezer()
    parent = own / f"warmline-{workspace.token}"
    try:
        # It is there if another service has the same workspace.
        parent.mkdir(exist_ok=True)
    except OSError:
        return SignalFreezer()
    workspace.remove_at_end(parent)
    if not (parent / "cgroup.freeze").exists() or not os.access(parent / "cgroup.procs", os.W_OK):
        return SignalFreezer()
    # Moving a process takes write access to the common ancestor as well.
    if not os.access(own / "cgroup.procs", os.W_OK):
        return SignalFreezer()
    return CgroupFreezer(parent)


def _own_group() -> Path | None:
    """
    The cgroup v2 directory of this process, on a unified or a hybrid hierarchy.
    """
    try:
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        groups = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    mount = next((Path(fields[1]) for fields in mounts if fields[2] == "cgroup2"), None)
    inside = next((line.removeprefix("0::") for line in groups if line.startswith("0::")), None)
    if mount is None or inside is None:
        return None
    own = mount / inside.lstrip("/")
    return own if own.is_dir() else None
