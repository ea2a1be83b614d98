"""
An event loop in a thread of its own, for servers that blocking code uses.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class LoopThread:
    """
    Runs coroutines for code that has no event loop; stopped at the end of its ``with`` block.
    """

    def __enter__(self) -> LoopThread:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="warmline-servers", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """
        Run a coroutine in the loop and wait for its result.
        """
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
