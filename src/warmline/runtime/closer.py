"""
What happens on SIGTERM: the function's own handler runs, the clients are closed, the process ends.

Python runs a signal handler in the main thread alone, and only between two bytecodes. Right after a thaw the kernel
may give the signal to another thread, so that the main one sleeps on; in libcurl, as the runtime client waits before
python3.12, it is never reached; and closing a client inside a handler deadlocks if the handler has interrupted the
client's own code. So a thread does it. The interpreter writes every signal's number to a pipe (the wakeup file
descriptor) at once and from any thread, and this thread reads it.

Source: https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

import pymongo
from pymongo import AsyncMongoClient, MongoClient

from . import loop, thaw
from .registry import CLIENTS

_log = logging.getLogger("warmline")

# Lambda kills 500 ms after SIGTERM. A healthy client closes in a millisecond; one whose network is gone would wait.
_HANDLER_SECONDS = 0.2
_CLOSE_SECONDS = 0.2

_Handler = Callable[[int, FrameType | None], Any]

# CPython's own, without the wrapper that looks the answer up in an enumeration: that is most of an invocation's cost.
_handler_now: Callable[[int], Any] = sys.modules.get("_signal", signal).getsignal


class Closer:
    """
    The process's pipe and the thread that reads it.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        # Kept: each look at a bound method makes a new one.
        self._handler = self._on_sigterm
        self._before: Any = signal.SIG_DFL
        # Who had the wakeup file descriptor, and its device and inode: by now the number may be another file's.
        self._other: tuple[int, int, int] | None = None
        threading.Thread(target=self._run, name="warmline-closer", daemon=True).start()

    def take(self) -> None:
        """
        Make SIGTERM come to this thread; what had the signal before is kept and served. Costs about a microsecond.

        :raises ValueError: this is not the main thread.
        """
        previous = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        if previous != self._write and previous != -1:
            self._other = _identity(previous)
        handler = _handler_now(signal.SIGTERM)
        if handler is self._handler:
            return
        if handler is None:
            _log.debug("warmline: SIGTERM's handler is not Python's, so the clients won't be closed at the end")
            return
        self._before = handler
        signal.signal(signal.SIGTERM, self._handler)

    def leave(self) -> None:
        """
        In a forked child: give the signal back. The pipe is the parent's, and the thread has not come along.
        """
        previous = signal.set_wakeup_fd(-1)
        if previous not in {-1, self._write}:
            signal.set_wakeup_fd(previous)
        if _handler_now(signal.SIGTERM) is self._handler:
            signal.signal(signal.SIGTERM, self._before)
        os.close(self._read)
        os.close(self._write)

    def _on_sigterm(self, number: int, _frame: FrameType | None) -> None:
        # For a wakeup file descriptor that somebody has taken since. The pipe may be full, or closed in a child.
        with suppress(OSError):
            os.write(self._write, bytes([number]))

    def _run(self) -> None:
        while True:
            numbers = os.read(self._read, 64)
            if self._other is not None and _identity(self._other[0]) == self._other:
                with suppress(OSError):
                    os.write(self._other[0], numbers)
            if signal.SIGTERM in numbers:
                self._end()

    def _end(self) -> None:
        # Nothing here may wait without a bound, not even for a lock of the log.
        try:
            handler = _handler_now(signal.SIGTERM)
            if handler is self._handler:
                handler = self._before
            if callable(handler):
                _within(_HANDLER_SECONDS, lambda: _call(handler))
            _within(_CLOSE_SECONDS, _close_all)
        finally:
            # sys.exit would wait for the thread in which the runtime client waits for the next event.
            os._exit(0)


def _within(seconds: float, work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work, name="warmline-closing", daemon=True)
    thread.start()
    thread.join(seconds)


def _call(handler: _Handler) -> None:
    try:
        handler(signal.SIGTERM, None)
    except SystemExit:
        # It wants the process to end: so do we.
        return
    except BaseException as error:
        _log.warning("warmline: the function's SIGTERM handler failed, the clients are closed all the same: %r", error)


def _close_all() -> None:
    # Else a close right after a freeze would first look whether its connections are still good.
    thaw.note_awake()
    with pymongo.timeout(_CLOSE_SECONDS):
        # The kernel closes the sockets of clients that fail here.
        for client in CLIENTS.all(MongoClient):
            with suppress(Exception):
                client.close()
        asynchronous = CLIENTS.all(AsyncMongoClient)
        if asynchronous:
            with suppress(Exception):
                _close_in_their_loop(asynchronous)
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()


def _close_in_their_loop(clients: list[AsyncMongoClient[dict[str, Any]]]) -> None:
    async def close() -> None:
        await asyncio.gather(*(client.close() for client in clients), return_exceptions=True)

    theirs = loop.event_loop()
    if theirs.is_running():
        asyncio.run_coroutine_threadsafe(close(), theirs).result()
    else:
        # Between invocations it stands still, so that this thread may run it.
        theirs.run_until_complete(close())


def _identity(descriptor: int) -> tuple[int, int, int] | None:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return descriptor, status.st_dev, status.st_ino
