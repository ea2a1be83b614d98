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

from ..workspace import Workspace

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
    quota = round(share * _PERIOD_US)
    for parent, settings in _parents(quota):
        group = parent / f"warmline-cpu-{workspace.token}"
        # Not ours to write to, or the controller is not for what is below.
        with suppress(OSError):
            group.mkdir(exist_ok=True)
            workspace.remove_at_end(group)
            for file, value in settings.items():
                # Opened as it is: where the controller is missing, so is the file.
                with (group / file).open("r+") as opened:
                    opened.write(value)
            return group
    return None


def _parents(quota: int) -> Iterator[tuple[Path, dict[str, str]]]:
    """
    The cgroups below which one can be tried, and what is to be written into its files.
    """
    with suppress(OSError):
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        own = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
        for _, mount, kind, options, *_ in mounts:
            for _, controllers, path in own:
                if kind == "cgroup" and "cpu" in controllers.split(",") and "cpu" in options.split(","):
                    settings = {"cpu.cfs_period_us": str(_PERIOD_US), "cpu.cfs_quota_us": str(quota)}
                elif kind == "cgroup2" and not controllers:
                    settings = {"cpu.max": f"{quota} {_PERIOD_US}"}
                else:
                    continue
                yield Path(mount) / path.lstrip("/"), settings
                # Only the root of a hierarchy may have processes and hand its controllers down.
                yield Path(mount), settings
