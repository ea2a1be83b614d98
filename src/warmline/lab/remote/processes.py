"""
The driver in several processes, so that it is not the bottleneck itself.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from ..errors import LabError, RemoteRefused
from ..load import Call, Load, drive, share
from .client import RemoteTarget, Where

# A process that has read AWS's description of Lambda is ready; on a busy machine that takes long.
_READY_SECONDS = 60.0

PROCESSES = os.cpu_count() or 1


async def drive_in_processes(where: Where, name: str, loads: Sequence[Load], payload: bytes) -> list[Call]:
    """
    Give a function its load from as many processes as there are cores, all of which start at the same moment.

    :raises RemoteRefused: one of them is refused, or has ended early.
    """
    parts = [[part for load in loads if (part := share(load, index, PROCESSES))] for index in range(PROCESSES)]
    drivers = [_Driver(where, name, part, payload) for part in parts if part]
    try:
        for driver in drivers:
            await driver.answer(_READY_SECONDS)
        for driver in drivers:
            driver.go()
        made = await asyncio.gather(*(driver.answer() for driver in drivers))
        return [call for of_one in made for call in of_one]
    finally:
        for driver in drivers:
            driver.end()


class _Driver:
    """
    One process: it says when it is ready, is told to go, and answers with its calls.
    """

    def __init__(self, where: Where, name: str, loads: Sequence[Load], payload: bytes) -> None:
        # Not forked: this process has threads.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(theirs, where, name, loads, payload), daemon=True)
        self._process.start()
        theirs.close()

    def go(self) -> None:
        self._pipe.send(None)

    async def answer(self, seconds: float | None = None) -> Any:
        """
        Wait for what it sends, in a thread: the loop has other things to do.
        """
        if not await asyncio.to_thread(self._pipe.poll, seconds):
            raise RemoteRefused(f"a driver process was not ready within {seconds:.0f} s: is the machine overloaded?")
        try:
            answer = self._pipe.recv()
        except EOFError:
            raise RemoteRefused("a driver process has ended early; standard error says why") from None
        if isinstance(answer, RemoteRefused):
            raise answer
        return answer

    def end(self) -> None:
        self._process.terminate()
        self._process.join()
        self._pipe.close()


def _run(pipe: Connection, where: Where, name: str, loads: Sequence[Load], payload: bytes) -> None:
    # Ctrl-C is the first process's, which ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with RemoteTarget(where) as target:
            pipe.send(None)
            pipe.recv()
            pipe.send(asyncio.run(drive(target, name, loads, payload=payload)))
    except LabError as error:
        pipe.send(RemoteRefused(str(error)))
