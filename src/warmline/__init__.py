"""
Keeps the MongoDB connections of AWS Lambda functions few, warm and safe.
"""

from __future__ import annotations

from .runtime.client import connect, connect_async
from .runtime.errors import (
    ConfigurationError,
    InvalidOptionError,
    InvalidURIError,
    MissingURIError,
    SrvMaxHostsError,
    UnknownOptionError,
    UnsupportedHandlerError,
    WarmlineError,
)
from .runtime.invocation import handler, invocation
from .runtime.loop import event_loop

__version__ = "0.1.0.dev0"

__all__ = [
    "ConfigurationError",
    "InvalidOptionError",
    "InvalidURIError",
    "MissingURIError",
    "SrvMaxHostsError",
    "UnknownOptionError",
    "UnsupportedHandlerError",
    "WarmlineError",
    "connect",
    "connect_async",
    "event_loop",
    "handler",
    "invocation",
]
