"""
A Lambda service in miniature that drives the real AWS runtime client.
"""

from __future__ import annotations

from .concurrency import Quotas
from .counters import Counters
from .environment import Environment
from .extensions import ShutdownReason
from .freezer import CgroupFreezer, Freezer, SignalFreezer, best_freezer
from .function import FunctionSpec, Initialization, InvokeResult, Monotonic, NetworkKind, StartMode
from .invoke_endpoint import InvokeEndpoint
from .service import LambdaService
from .state import Ending, How, State

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
