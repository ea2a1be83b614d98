"""
How many environments are in which state, asked from the service again and again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ..aws import State


class HasStates(Protocol):
    """
    What has environments: a Lambda service.
    """

    def states(self) -> Mapping[State, int]:
        """
        Count the live environments by state; is asked from another thread.
        """


@dataclass(frozen=True, slots=True)
class StateSample:
    """
    The live environments by state at one moment (``seconds`` on the monotonic clock).
    """

    seconds: float
    counts: Mapping[State, int]


class StateSampler:
    """
    Samples a service from a thread of its own while its ``with`` block runs.

    A sample that says the same as the one before is not kept, so a long run with little change costs no memory.
    """

    def __init__(self, service: HasStates, *, interval_seconds: float = 0.1) -> None:
        self._service = service
        self._interval = interval_seconds
        self._samples: list[StateSample] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="warmline-states", daemon=True)

    def __enter__(self) -> StateSampler:
        self.now()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    @property
    def samples(self) -> tuple[StateSample, ...]:
        """
        The first sample and all that differ from the one before, oldest first.
        """
        return tuple(self._samples)

    def now(self) -> StateSample:
        """
        Sample once more.
        """
        sample = StateSample(time.monotonic(), dict(self._service.states()))
        if not self._samples or self._samples[-1].counts != sample.counts:
            self._samples.append(sample)
        return sample

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            self.now()
