"""
The first operation after a freeze in which connections, the primary or the whole way to the cluster were lost.
"""

from __future__ import annotations

from ..experiment import Experiment, OnProgress, RunOptions
from ..result import ExperimentResult
from .cases import Plan, possible_clocks
from .measure import measure
from .result import NAME, to_result

__all__ = ["EXPERIMENT", "run"]


async def run(options: RunOptions, on_progress: OnProgress, plan: Plan | None = None) -> ExperimentResult:
    """
    Measure the plan, by default all of it; without a C compiler the clock that stands still is left out.
    """
    plan = plan or Plan(clocks=possible_clocks())
    return to_result(plan, options, await measure(plan, options, on_progress))


EXPERIMENT = Experiment(NAME, "a freeze in which connections, the primary or the network are lost", run)
