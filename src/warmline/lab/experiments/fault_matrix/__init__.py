"""
All that can happen to a frozen environment, with writes: what is lost, what is late, and whether the next one works.
"""

from __future__ import annotations

import dataclasses

from ..experiment import Experiment, OnProgress, RunOptions
from ..result import ExperimentResult
from ..thaw.cases import possible_clocks
from .cells import Plan
from .measure import measure
from .result import NAME, to_result

__all__ = ["EXPERIMENT", "run"]


async def run(options: RunOptions, on_progress: OnProgress, plan: Plan | None = None) -> ExperimentResult:
    """
    Measure the plan, by default all of it; without a C compiler the clock that stands still is left out.
    """
    plan = plan or dataclasses.replace(Plan(), clocks=possible_clocks())
    return to_result(options, await measure(plan, options, on_progress))


EXPERIMENT = Experiment(NAME, "writes before, during and after all that can happen in a freeze", run)
