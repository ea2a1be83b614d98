"""
A function's share of a CPU: what its memory buys on Lambda, by the kernel's bandwidth control.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html (1,769 MB are one vCPU),
https://docs.kernel.org/admin-guide/cgroup-v2.html (``cpu.max``) and
https://docs.kernel.org/scheduler/sched-bwc.html (``cpu.cfs_quota_us``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ..errors import CpuLimitUnavailable
from ..workspace import Workspace
from .freezer import Freezer

_MEGABYTES_OF_A_CPU = 1769

# Short, so that what a program takes is not rounded up to the next of few periods, and so long that the share of 128 MB
# is more than the millisecond that the kernel takes at least.
_PERIOD_US = 20_000


def cpu_share(memory_mb: int) -> float:
    """
    How much of one CPU a function of this memory has outside of Init.
    """
    return memory_mb / _MEGABYTES_OF_A_CPU


def limited_group(workspace: Workspace, share: float) -> Path | None:
    """
    Make a cgroup whose processes have this share of one CPU together; ``None`` where this process can't make one.

    A process enters it by writing ``0`` to ``cgroup.procs`` in it. It is removed with the workspace.
    """
    for parent in _parents():
        # Not ours to write to, or the controller is not for what is below.
        with suppress(OSError):
            group = parent / f"warmline-cpu-{workspace.token}"
            group.mkdir(exist_ok=True)
            workspace.remove_at_end(group)
            CpuGroup(group).limit(share)
            return group
    return None


class CpuGroup:
    """
    The cgroup of one environment, by which its processes can be given a share of a CPU.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def limit(self, share: float) -> None:
        """
        Give its processes this share of one CPU together; over 1 it is more than one.

        :raises OSError: the controller is missing.
        """
        quota = round(share * _PERIOD_US)
        # Opened as it is: where the controller is missing, so is the file.
        if (self.path / "cpu.max").exists():
            _write(self.path / "cpu.max", f"{quota} {_PERIOD_US}")
        else:
            _write(self.path / "cpu.cfs_period_us", str(_PERIOD_US))
            _write(self.path / "cpu.cfs_quota_us", str(quota))

    def forget(self) -> None:
        """
        Remove it, if no process is left in it; else it goes with the workspace.
        """
        with suppress(OSError):
            self.path.rmdir()


class CpuGroups:
    """
    Makes a CPU group for each environment of a run.

    Under cgroup v1 it stands beside the freezer's group. Under v2 a process is in one group only: then it is the
    freezer's, if the controller is enabled there, or with the freezer that needs no group one of its own.

    :raises CpuLimitUnavailable: that can't be done here.
    """

    def __init__(self, workspace: Workspace, freezer: Freezer) -> None:
        self._parent: Path | None = None
        probe = freezer.group(f"cpu-probe-{workspace.token[:8]}")
        if probe is not None:
            with suppress(OSError):
                _write(probe.parent / "cgroup.subtree_control", "+cpu")
            enabled = (probe / "cpu.max").exists()
            freezer.forget(probe)
            if enabled:
                return
        for parent, version in _hierarchies():
            if version == 2 and probe is not None:
                continue
            # Not ours to write to, or the controller is not for what is below.
            with suppress(OSError):
                group = parent / f"warmline-cpus-{workspace.token}"
                group.mkdir(exist_ok=True)
                workspace.remove_at_end(group)
                if version == 2:
                    _write(group / "cgroup.subtree_control", "+cpu")
                else:
                    # There from the start, so it is seen whether it may be written.
                    _write(group / "cpu.cfs_period_us", str(_PERIOD_US))
                self._parent = group
                return
        raise CpuLimitUnavailable(
            "environments can't have a share of a CPU by their memory here: that takes Linux and a cgroup with the cpu "
            "controller that this process may write to, as root or with systemd's Delegate=yes; do without "
            'cpu="by-memory"'
        )

    def group(self, name: str, frozen_with: Path | None) -> CpuGroup:
        """
        Make an environment's group, without a limit.

        :param frozen_with: its group for the freezer
        """
        if self._parent is None:
            assert frozen_with is not None  # noqa: S101  for the type checker
            return CpuGroup(frozen_with)
        path = self._parent / name
        path.mkdir()
        return CpuGroup(path)


def _write(file: Path, value: str) -> None:
    # Never created: a file of that name is there or the controller is not.
    with file.open("r+") as opened:
        opened.write(value)


def _parents() -> Iterator[Path]:
    return (path for path, _ in _hierarchies())


def _hierarchies() -> Iterator[tuple[Path, int]]:
    """
    The cgroups below which one can be tried, each with its cgroup version.
    """
    with suppress(OSError):
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        own = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
        for _, mount, kind, options, *_ in mounts:
            for _, controllers, path in own:
                if kind == "cgroup" and "cpu" in controllers.split(",") and "cpu" in options.split(","):
                    version = 1
                elif kind == "cgroup2" and not controllers:
                    version = 2
                else:
                    continue
                yield Path(mount) / path.lstrip("/"), version
                # Only the root of a hierarchy may have processes and hand its controllers down.
                yield Path(mount), version
