"""
Keeps the MongoDB connections of AWS Lambda functions few, warm and safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .runtime.environment import bound_lookups as _bound_lookups
from .runtime.environment import on_lambda as _on_lambda

if TYPE_CHECKING:
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


# Where each public name is; metrics are loaded when somebody asks for them.
_HOMES = {
    "InvocationMetrics": "metrics.snapshot",
    "connect": "client",
    "connect_async": "client",
    "event_loop": "loop",
    "handler": "invocation",
    "invocation": "invocation",
    "on_metrics": "metrics.switch",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    value = getattr(import_module(f".runtime.{_HOMES.get(name, 'errors')}", __name__), name)
    # From now on it is found without this function.
    globals()[name] = value
    return value


if _on_lambda():
    _bound_lookups()
    # In Init, which has a full CPU; anywhere else, in `warmline check` say, PyMongo waits until somebody asks for it.
    from .runtime.lean import LeanImport as _LeanImport

    with _LeanImport():
        from .runtime.client import connect, connect_async
        from .runtime.invocation import handler, invocation
        from .runtime.loop import event_loop
    from .runtime.shutdown import arm as _arm

    # Lambda takes registrations only until the function asks for its first event.
    _arm()
