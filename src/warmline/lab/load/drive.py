"""
Gives a function its load, and notes what each caller saw.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import math
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import Literal

from ..aws import InvokeResult
from ..errors import Throttled
from .recorded import Recording
from .report import read_report
from .target import Target
from .text import Callers, Load

# A closed loop's caller who is throttled comes again after so long, and not at once for ever.
_AGAIN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Call:
    """
    One invocation as its caller saw it. ``due``, ``started`` and ``ended`` are seconds since the load's start.

    ``error`` is what a failed one said, as ``ServerSelectionTimeoutError: no primary…``. The rest is as in
    ``InvokeResult``, and NaN, ``None`` or empty where there was no answer; ``max_memory_mb`` is what Lambda reports.
    """

    due: float
    started: float
    ended: float
    outcome: Literal["answered", "failed", "throttled"]
    error: str = ""
    environment: str = ""
    latency_ms: float = math.nan
    duration_ms: float = math.nan
    init_ms: float | None = None
    max_memory_mb: float = math.nan

    @property
    def late_seconds(self) -> float:
        """
        How far the driver itself was behind.
        """
        return self.started - self.due

    @property
    def waited_ms(self) -> float:
        """
        What the caller waited beyond the function's own latency: on one machine, for a core.
        """
        return (self.ended - self.started) * 1000 - self.latency_ms


async def drive(
    target: Target,
    name: str,
    loads: Sequence[Load],
    *,
    payload: bytes = b"{}",
) -> list[Call]:
    """
    Invoke a function as the loads say, and return when every invocation has its answer.

    The loop is open: an invocation starts at its time, whether the others have ended or not; ``callers`` alone wait.

    :param payload: of those invocations whose load has none of its own
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    calls: list[Call] = []

    async def call(due: float | None, event: bytes) -> Call:
        started = loop.time() - began
        try:
            result: InvokeResult | None = await target.invoke(name, event)
        except Throttled:
            result = None
        ended = loop.time() - began
        made = _call(started if due is None else due, started, ended, result)
        calls.append(made)
        return made

    async def caller(begins: float, seconds: float) -> None:
        await asyncio.sleep(begins)
        while loop.time() - began < begins + seconds:
            if (await call(None, payload)).outcome == "throttled":
                await asyncio.sleep(_AGAIN_SECONDS)

    async with together() as tasks:
        for load in loads:
            if isinstance(load.pattern, Callers):
                for _ in range(load.pattern.number):
                    tasks.create_task(caller(load.begins, load.pattern.seconds))
        for due, event in _arrivals(loads, payload):
            # Also if it is late: the tasks that were made must come to start.
            await asyncio.sleep(max(0.0, due - (loop.time() - began)))
            tasks.create_task(call(due, event))
    return calls


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """
    A group of tasks; if one fails the others end, and its error is raised as it is.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


def _arrivals(loads: Sequence[Load], payload: bytes) -> Iterator[tuple[float, bytes]]:
    """
    Those of all loads in their order.
    """
    return heapq.merge(*(_of(load, payload) for load in loads), key=lambda arrival: arrival[0])


def _of(load: Load, payload: bytes) -> Iterator[tuple[float, bytes]]:
    pattern = load.pattern
    if isinstance(pattern, Callers):
        return
    payloads = pattern.payloads if isinstance(pattern, Recording) and pattern.payloads else repeat(payload)
    for moment, event in zip(pattern.arrivals(), payloads, strict=False):
        yield load.begins + moment, event


def _call(due: float, started: float, ended: float, result: InvokeResult | None) -> Call:
    if result is None:
        return Call(due, started, ended, "throttled")
    failed = result.function_error is not None
    report = read_report(result.log_tail)
    return Call(
        due,
        started,
        ended,
        "failed" if failed else "answered",
        error=_error(result.payload) if failed else "",
        environment=result.environment,
        latency_ms=result.latency_ms,
        duration_ms=result.duration_ms,
        init_ms=result.init_ms,
        max_memory_mb=report.max_memory_mb if report else math.nan,
    )


def _error(payload: bytes) -> str:
    """
    What Lambda's error document says, in one line.
    """
    try:
        document = json.loads(payload)
        kind, message = document.get("errorType", ""), document.get("errorMessage", "")
    except (ValueError, AttributeError):
        kind, message = "", payload.decode(errors="replace")
    return ": ".join(filter(None, (str(kind), " ".join(str(message).split()))))
