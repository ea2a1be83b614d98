"""
All experiments of one go on a page that leads to theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .html import render
from .wording import clock, spaced

if TYPE_CHECKING:
    from ..facts import Practice
    from ..lab.experiments.result import ExperimentResult


@dataclass(frozen=True, slots=True)
class Ran:
    """
    An experiment that was run, and the practices whose cost it measures.
    """

    result: ExperimentResult
    practices: tuple[Practice, ...]

    @property
    def experiment(self) -> str:
        """
        Its name.
        """
        return self.result.experiment

    @property
    def seconds(self) -> float:
        """
        How long it took.
        """
        return self.result.seconds


@dataclass(frozen=True, slots=True)
class Failed:
    """
    An experiment that could not be run, and why.
    """

    experiment: str
    seconds: float
    reason: str


def to_overview_page(ended: Sequence[Ran | Failed]) -> str:
    """
    The page; ``NAME.html`` and ``NAME.json`` of each are beside it.
    """
    ran = [one for one in ended if isinstance(one, Ran)]
    settings = {**ran[-1].result.machine, **ran[-1].result.versions} if ran else {}
    return render(
        "overview.html.j2",
        ran=ran,
        failed=[one for one in ended if isinstance(one, Failed)],
        total=clock(sum(one.seconds for one in ended)),
        clock=clock,
        settings=[(spaced(name), value) for name, value in settings.items()],
    )
