"""
What an experiment is, and what it is run with.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..aws import StartMode
from .result import ExperimentResult

if TYPE_CHECKING:
    from .bench import AtlasBench, Bench


class OnProgress(Protocol):
    """
    Hears what a run is doing now and how much of it is done, from 0 to 1.
    """

    def __call__(self, doing: str, done: float) -> None: ...


class OnBench(Protocol):
    """
    Hears which lab a run goes on in, and of ``None`` when that has ended.
    """

    def __call__(self, bench: Bench | AtlasBench | None, /) -> None: ...


def _nobody(_: Bench | AtlasBench | None) -> None:
    pass


@dataclass(frozen=True, slots=True)
class RunOptions:
    """
    What a person chooses for a run, and who hears of the lab that it goes on in: of each when it is there, and of
    ``None`` when it is no more.
    """

    environments: int = 20
    start: StartMode = "zygote"
    mongod: Path | None = None
    on_bench: OnBench = _nobody


@dataclass(frozen=True, slots=True)
class Variant:
    """
    One function that an experiment compares: its name in results, what people read, the module of its handler, and
    what it has in its URI.
    """

    name: str
    label: str
    handler: str
    options: str = ""


@dataclass(frozen=True, slots=True)
class Experiment:
    """
    One experiment: what it is called, what it shows, how it is run, and with how many environments if nobody says.
    """

    name: str
    summary: str
    run: Callable[[RunOptions, OnProgress], Coroutine[Any, Any, ExperimentResult]]
    environments: int = 20
