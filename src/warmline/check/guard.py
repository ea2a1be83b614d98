"""
One file read so that nothing in it harms the others.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from .read import Facts

# A file of a megabyte takes a second.
_FILE_SECONDS = 30

Reader = Callable[[str, bytes], Facts | None]

# The path, what was made of it, and why it could not be read.
Result = tuple[str, Facts | None, str | None]


def guarded(read: Reader[Facts], path: str, data: bytes) -> Result[Facts]:
    """
    Call a reader for one file; whatever goes wrong becomes the reason why it was not read.
    """
    try:
        with _limit(_FILE_SECONDS):
            return path, read(path, data), None
    except TimeoutError:
        return path, None, f"given up after {_FILE_SECONDS} s"
    except RecursionError:
        return path, None, "nested too deeply"
    except Exception as error:
        return path, None, f"a fault of warmline's, please report it: {type(error).__name__}: {error}"


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """
    Raise :class:`TimeoutError` in what takes longer, where the system and the thread allow it.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(_: int, __: FrameType | None) -> None:
        raise TimeoutError

    handler = signal.signal(signal.SIGALRM, give_up)
    before = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
        signal.signal(signal.SIGALRM, handler)
