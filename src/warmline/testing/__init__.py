"""
The lab in a user's own tests: a pytest plugin, and the objects that its fixtures give.

Importing this loads nothing of the lab: pytest does it at the start of every run, with tests that need no lab too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cluster import MongoCluster
    from .connections import Connections
    from .fleet import Fleet
    from .lab import LambdaLab
    from .result import Result

__all__ = ["Connections", "Fleet", "LambdaLab", "MongoCluster", "Result"]

_HOMES = {
    "Connections": "connections",
    "Fleet": "fleet",
    "LambdaLab": "lab",
    "MongoCluster": "cluster",
    "Result": "result",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
