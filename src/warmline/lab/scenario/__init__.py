"""
Functions of one's own under load on a cluster of one's own, told like an experiment.
"""

from __future__ import annotations

from .file import read_scenario
from .run import run_scenario
from .spec import LoadedFunction, Scenario

__all__ = ["LoadedFunction", "Scenario", "read_scenario", "run_scenario"]
