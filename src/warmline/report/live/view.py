"""
The view: redrawn in place on a terminal, else a line for each phase.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from ..wording import clock
from .panel import panel
from .watch import Watch

if TYPE_CHECKING:
    from ...lab.experiments.bench import AtlasBench, Bench

# The lab shares this machine with what it measures: this costs some milliseconds of a second.
_PER_SECOND = 3


class LiveView:
    """
    Shows a run from its ``with`` block's begin to its end, and leaves nothing on a terminal.

    What it shows, it reads itself a few times a second; the run only says what it is doing.
    """

    def __init__(self, title: str, console: Console) -> None:
        self._title = title
        self._console = console
        self._started = time.monotonic()
        self._doing, self._done = "starting", 0.0
        self._watch: Watch | None = None
        self._live: Live | None = None
        if console.is_terminal:
            self._live = Live(
                get_renderable=self.render,
                console=console,
                refresh_per_second=_PER_SECOND,
                transient=True,
                # What the command prints goes where it should.
                redirect_stdout=False,
                redirect_stderr=False,
            )

    def __enter__(self) -> LiveView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def on_progress(self, doing: str, done: float) -> None:
        """
        Hear what the run is doing, and how much of it is done.
        """
        is_new = doing != self._doing
        self._doing, self._done = doing, done
        if is_new and self._live is None:
            line = f"{clock(self._seconds):>6}  {done:4.0%}  {doing}"
            self._console.print(Text(line), soft_wrap=True)

    def on_bench(self, bench: Bench | AtlasBench | None) -> None:
        """
        Hear of the lab that the run goes on in from now on, or that there is none.
        """
        self._watch = Watch(bench) if bench is not None else None

    def render(self) -> RenderableType:
        """
        What is to be seen now.
        """
        watch = self._watch
        snapshot = watch.now() if watch is not None else None
        return panel(self._title, self._doing, self._done, self._seconds, snapshot)

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._started
