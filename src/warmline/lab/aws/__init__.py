"""
A Lambda service in miniature that drives the real AWS runtime client.
"""

from __future__ import annotations

from .concurrency import Quotas
from .counters import Counters
from .domain import Ending
from .environment import Environment, How, State
from .extensions import ShutdownReason
from .freezer import CgroupFreezer, Freezer, SignalFreezer, best_freezer
from .function import FunctionSpec, Initialization, InvokeResult, Monotonic, NetworkKind, StartMode
from .invoke_endpoint import InvokeEndpoint
from .service import LambdaService

__all__ = [
    "CgroupFreezer",
    "Counters",
    "Ending",
    "Environment",
    "Freezer",
    "FunctionSpec",
    "How",
    "Initialization",
    "InvokeEndpoint",
    "InvokeResult",
    "LambdaService",
    "Monotonic",
    "NetworkKind",
    "Quotas",
    "ShutdownReason",
    "SignalFreezer",
    "StartMode",
    "State",
    "best_freezer",
]
