"""
The end of an environment: who closes its connections, in every situation in which SIGTERM may come.
"""

from __future__ import annotations

from ..experiment import Experiment, OnProgress, RunOptions
from ..result import ExperimentResult
from .cases import Plan
from .measure import measure
from .result import NAME, to_result

__all__ = ["EXPERIMENT"]


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Measure as many endings of each case as there are to be environments.
    """
    return to_result(options, await measure(Plan(endings=options.environments), options, on_progress))


EXPERIMENT = Experiment(NAME, "SIGTERM after a thaw, in an operation, on a dead network", run, environments=40)
