"""
Keeps the MongoDB connections of AWS Lambda functions few, warm and safe.
"""

from __future__ import annotations

from .runtime.client import connect
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
    "handler",
    "invocation",
]
