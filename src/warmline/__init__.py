"""
Keeps the MongoDB connections of AWS Lambda functions few, warm and safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .runtime.lean import LeanImport as _LeanImport

with _LeanImport():
    from .runtime.client import connect, connect_async
    from .runtime.errors import (
        ConfigurationError,
        InvalidOptionError,
        InvalidURIError,
        MissingURIError,
        SrvMaxHostsError,
        UnknownOptionError,
        UnreadableSecretError,
        UnsupportedHandlerError,
        UnusableSecretError,
        WarmlineError,
    )
    from .runtime.invocation import handler, invocation
    from .runtime.loop import event_loop
    from .runtime.shutdown import arm as _arm

if TYPE_CHECKING:
    from .runtime.metrics.snapshot import InvocationMetrics
    from .runtime.metrics.switch import on_metrics

__version__ = "0.1.0.dev0"

__all__ = [
    "ConfigurationError",
    "InvalidOptionError",
    "InvalidURIError",
    "InvocationMetrics",
    "MissingURIError",
    "SrvMaxHostsError",
    "UnknownOptionError",
    "UnreadableSecretError",
    "UnsupportedHandlerError",
    "UnusableSecretError",
    "WarmlineError",
    "connect",
    "connect_async",
    "event_loop",
    "handler",
    "invocation",
    "on_metrics",
]


def __getattr__(name: str) -> Any:
    # Metrics are loaded when somebody asks for them.
    if name == "on_metrics":
        from .runtime.metrics.switch import on_metrics

        return on_metrics
    if name == "InvocationMetrics":
        from .runtime.metrics.snapshot import InvocationMetrics

        return InvocationMetrics
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


# Lambda takes registrations only until the function asks for its first event.
_arm()
