"""
What happens during a run, and when it did.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from pymongo.errors import PyMongoError

from ..aws import FunctionSpec
from ..errors import LabError
from ..experiments.bench import AtlasBench
from ..experiments.result import Event
from .actions import Stage
from .events import ScenarioEvent


class Timeline:
    """
    Plays events at their time, and notes when they really happened.

    :param specs: makes what a deploy is of
    :param started: on the monotonic clock
    """

    def __init__(self, bench: AtlasBench, specs: Callable[[], dict[str, FunctionSpec]], started: float) -> None:
        self._stage = Stage(bench.cluster, bench.service, asyncio.get_running_loop(), specs)
        self._started = started
        self._events: list[Event] = []
        self._failures: list[str] = []

    @property
    def events(self) -> tuple[Event, ...]:
        """
        What has happened so far, in its order.
        """
        return tuple(sorted(self._events, key=lambda event: event.seconds))

    @property
    def failures(self) -> tuple[str, ...]:
        """
        What could not happen, in words.
        """
        return tuple(self._failures)

    def mark(self, label: str) -> None:
        """
        Note that something happens now.
        """
        self._events.append(Event(time.monotonic() - self._started, label))

    async def play(self, event: ScenarioEvent) -> None:
        """
        Let an event happen at its time, and end if it lasts. One that can't happen does not end the run.
        """
        await asyncio.sleep(max(0.0, self._started + event.at - time.monotonic()))
        self.mark(event.text)
        try:
            undo = await asyncio.to_thread(event.begin, self._stage)
            if undo is not None:
                await asyncio.sleep(event.lasts)
                await asyncio.to_thread(undo)
                self.mark(f"{event.text}: over")
        except (LabError, PyMongoError) as error:
            self._failures.append(f"At {event.at:g} s {event.text!r} could not happen: {' '.join(str(error).split())}")
