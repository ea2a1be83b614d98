"""
What a figure was measured on: without this it can't be compared with another.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import version

import psutil


def machine() -> dict[str, str | int | float]:
    """
    Cores, memory and system of this machine.
    """
    return {
        "cores": psutil.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
    }


def versions(mongod: str) -> dict[str, str]:
    """
    The versions of what took part.
    """
    packages = {name: version(name) for name in ("warmline", "pymongo", "awslambdaric")}
    return {"python": platform.python_version(), **packages, "mongod": mongod}


def mean_memory_mib(pids: Iterable[int]) -> float:
    """
    The memory of an average one of these processes, in MiB, pages that several share counted in part (PSS).
    """
    shares = []
    for pid in pids:
        try:
            full = psutil.Process(pid).memory_full_info()
        except psutil.NoSuchProcess:
            continue
        # Only Linux knows the proportional share.
        shares.append(getattr(full, "pss", full.uss))
    return sum(shares) / len(shares) / 2**20 if shares else float("nan")
