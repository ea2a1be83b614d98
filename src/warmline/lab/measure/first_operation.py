"""
Cold starts, each in a fresh interpreter that has the function's package and nothing else.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import EnvironmentStartError
from ..names.resolve import HOOK, Resolver

_CHILD = Path(__file__).with_name("first_operation_child.py")
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class FirstOperation:
    """
    From the import of the handler's module to the answer of its first operation.
    """

    wall_ms: float
    cpu_ms: float


async def first_operation(
    package: Path,
    module: str,
    *,
    runtime: Path,
    environ: Mapping[str, str],
    resolver: Resolver,
    group: Path | None = None,
) -> FirstOperation:
    """
    Start one and wait for its end.

    :param runtime: the folder with the runtime client
    :param module: has ``lambda_handler(event, context)``, which returns the server's answer to a ping.
    :param group: the cgroup that it runs in.
    :raises EnvironmentStartError: it failed, or took a minute; the text is what it has written.
    """
    argv = [sys.executable, "-I", "-S", str(_CHILD), str(package), module, str(runtime), str(group or ""), str(HOOK)]
    process = await asyncio.create_subprocess_exec(
        *resolver.command(argv),
        env=dict(environ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            answer, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        answer, errors = await process.communicate()
    if process.returncode != 0:
        last = (errors.decode().strip().splitlines() or ["no reason told"])[-1]
        raise EnvironmentStartError(f"a cold start of {module} ended with status {process.returncode}: {last}")
    return FirstOperation(*map(float, answer.split()))
