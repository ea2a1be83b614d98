"""
The first operation after a freeze in which connections, the primary or the whole way to the cluster were lost.
"""

from __future__ import annotations

import shutil
import sys

from ..experiment import Experiment, OnProgress, RunOptions
from ..result import ExperimentResult
from .cases import Plan
from .measure import measure
from .result import NAME, to_result

__all__ = ["EXPERIMENT", "run"]


async def run(options: RunOptions, on_progress: OnProgress, plan: Plan | None = None) -> ExperimentResult:
    """
    Measure the plan, by default all of it; without a C compiler the clock that stands still is left out.
    """
    if plan is None:
        can_stop_clocks = sys.platform == "linux" and shutil.which("cc") is not None
        plan = Plan() if can_stop_clocks else Plan(clocks=("runs",))
    return to_result(plan, options, await measure(plan, options, on_progress))


EXPERIMENT = Experiment(NAME, "a freeze in which connections, the primary or the network are lost", run)
