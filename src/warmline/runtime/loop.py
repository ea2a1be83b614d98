"""
The execution environment's one event loop.

An ``AsyncMongoClient`` is bound to the loop of its first operation, so a loop for each invocation, as ``asyncio.run``
makes it, works once.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine
from typing import Any, TypeVar

import pymongo

_log = logging.getLogger("warmline")

_Result = TypeVar("_Result")

# How long tasks that an invocation has left behind may take to end once they are cancelled.
_CANCEL_SECONDS = 1.0

# PyMongo's own tasks (monitors) live as long as their client, and so do asyncio's (a connect that a monitor waits for).
_NOT_THE_HANDLERS = tuple(package.__path__[0] + os.sep for package in (pymongo, asyncio))

_loop: asyncio.AbstractEventLoop | None = None


def event_loop() -> asyncio.AbstractEventLoop:
    """
    Give the execution environment's event loop, and make it the thread's current one.

    ``@handler`` runs an ``async def`` in it. Code that asks asyncio for a loop outside of any coroutine (Mangum does)
    gets the same one.

    .. versionadded:: 0.1
    """
    global _loop  # noqa: PLW0603  one in a process: that is what this module is for
    if _loop is None or _loop.is_closed():
        _loop = asyncio.new_event_loop()
        asyncio.set_event_loop(_loop)
    return _loop


def is_running() -> bool:
    """
    Tell whether the caller runs inside an event loop, whosever it is.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """
    Run a coroutine in the environment's loop, and cancel the tasks that it leaves running when it ends.
    """
    loop = event_loop()
    before = asyncio.all_tasks(loop)
    try:
        return loop.run_until_complete(work)
    finally:
        left = [task for task in asyncio.all_tasks(loop) - before if _is_the_handlers(task)]
        if left:
            _end(loop, left)


def _end(loop: asyncio.AbstractEventLoop, tasks: list[asyncio.Task[Any]]) -> None:
    # Frozen with the environment, they would go on in somebody else's invocation.
    names = ", ".join(sorted(_name(task) for task in tasks))
    _log.warning("warmline: the handler returned while these tasks were running, so they are cancelled: %s", names)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.wait(tasks, timeout=_CANCEL_SECONDS))


def _name(task: asyncio.Task[Any]) -> str:
    return getattr(task.get_coro(), "__qualname__", task.get_name())


def _is_the_handlers(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is None or not code.co_filename.startswith(_NOT_THE_HANDLERS)


def _forget_after_fork() -> None:
    global _loop  # noqa: PLW0603
    _loop = None


os.register_at_fork(after_in_child=_forget_after_fork)
