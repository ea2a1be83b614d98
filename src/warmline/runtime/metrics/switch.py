"""
Whether metrics are on, and who gets them.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pymongo import AsyncMongoClient, MongoClient

from ..environment import METRICS_VARIABLE
from ..redact import redact
from ..registry import CLIENTS
from .counts import PROCESS
from .snapshot import InvocationMetrics

_log = logging.getLogger("warmline")

_Callback = TypeVar("_Callback", bound=Callable[[InvocationMetrics], object])


@dataclass
class _Receivers:
    callbacks: list[Callable[[InvocationMetrics], object]] = field(default_factory=list)
    emf: bool = False
    observe: Any = None
    listening: bool = False


_receivers = _Receivers()


def on_metrics(callback: _Callback) -> _Callback:
    """
    Call a function at the end of each invocation with what happened to the connections in it.

    Call this before :func:`connect`: listeners can't be added to a client that is there already. Works as a decorator
    too. What the function raises is logged, and does not fail the invocation.

    :param callback: gets an :class:`InvocationMetrics`.

    .. versionadded:: 0.1
    """
    clients: list[Any] = [*CLIENTS.all(MongoClient), *CLIENTS.all(AsyncMongoClient)]
    if clients and not _receivers.listening:
        _log.warning("warmline: on_metrics() came after connect(), whose client is not counted; call it before")
    _receivers.callbacks.append(callback)
    return callback


def listeners() -> tuple[Any, ...]:
    """
    Make the listeners for one more client, or none while nobody wants metrics.
    """
    mode = os.environ.get(METRICS_VARIABLE, "").strip().lower() or "off"
    if mode == "emf":
        _receivers.emf = True
    elif mode == "otel":
        _receivers.observe = _receivers.observe or _instruments()
    elif mode != "off":
        _log.warning("warmline: metrics are off: %s is %r; use emf, otel or off", METRICS_VARIABLE, mode)
    if not (_receivers.emf or _receivers.observe or _receivers.callbacks):
        return ()
    from .heartbeats import HeartbeatListener
    from .phases import watch_sockets
    from .pools import PoolListener
    from .retries import RetryListener

    _receivers.listening = True
    watch_sockets()
    return PoolListener(PROCESS, _receivers.observe), RetryListener(PROCESS), HeartbeatListener(PROCESS)


def flush(context: Any) -> None:
    """
    At the end of an invocation: give its metrics to all who want them. Never raises.
    """
    if not (_receivers.emf or _receivers.callbacks):
        return
    metrics = PROCESS.snapshot()
    if _receivers.emf:
        _give(functools.partial(_print, context), metrics)
    for callback in _receivers.callbacks:
        _give(callback, metrics)


def forget() -> None:
    """
    Forget what was counted until now.
    """
    PROCESS.snapshot()


def thawed() -> None:
    """
    Count a freeze after which the connections were renewed.
    """
    with PROCESS.lock:
        PROCESS.counts.thaws += 1


def _give(receiver: Callable[[InvocationMetrics], object], metrics: InvocationMetrics) -> None:
    try:
        receiver(metrics)
    except Exception as error:
        # An invocation that has done its work must not fail for its metrics.
        _log.warning("warmline: metrics could not be given away: %s: %s", type(error).__name__, redact(str(error)))


def _print(context: Any, metrics: InvocationMetrics) -> None:
    from .emf import line

    # One write, so that no other thread's output gets into the line.
    sys.stdout.write(line(metrics, context) + "\n")
    sys.stdout.flush()


def _instruments() -> Any:
    try:
        from .otel import instruments
    except ImportError:
        _log.warning(
            "warmline: metrics are off: %s is otel, and opentelemetry-api is not installed: "
            "pip install opentelemetry-api",
            METRICS_VARIABLE,
        )
        return None
    return instruments(PROCESS)
