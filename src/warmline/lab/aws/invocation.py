"""
An event on its way through an environment, and what comes of it.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass, field


def _trace_id() -> str:
    """
    Return a trace header as Lambda's: with a parent, without which X-Ray's SDK takes it for none.
    """
    root = f"1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
    return f"Root={root};Parent={uuid.uuid4().hex[:16]};Sampled=0"


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    How an invocation (or Init) ended: what was posted, and whether it was an error.
    """

    payload: bytes
    error: bool


@dataclass(slots=True)
class Invocation:
    """
    One event on its way through an environment. ``deadline`` is wall-clock seconds, ``arn`` what was invoked: the
    function's without a qualifier if it is empty.
    """

    payload: bytes
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    client_context: str | None = None
    arn: str = ""
    deadline: float = 0.0
    trace_id: str = field(default_factory=_trace_id)
    outcome: asyncio.Future[Outcome] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
