"""
What is done around an invocation: connections are looked after, and its remaining time bounds every operation in it.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Coroutine
from contextvars import Token
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, overload

import pymongo
from pymongo.errors import PyMongoError

from . import deadline, loop, shutdown, thaw, warmup
from .environment import metrics
from .errors import UnsupportedHandlerError
from .waits import WAITS, Waits

_Handler = TypeVar("_Handler", bound=Callable[..., Any])
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class invocation:  # noqa: N801  a context manager, used like pymongo.timeout
    """
    Bound every operation in the ``with`` block by what is left of the invocation, and look after the connections first.

    For frameworks that call your code with the Lambda context but not through your own handler::

        with invocation(context):
            orders.find_one({"_id": 1})

    An operation that does not finish in time raises PyMongo's own error, with ``error.timeout`` true, before Lambda
    ends the invocation with "Task timed out"; the error says what was waited for, where, and how much time is left. A
    ``pymongo.timeout()`` inside can only shorten the time. The bound holds for the thread (or task) that enters the
    block and the tasks that it starts, not for threads that it starts.

    :param context: the Lambda context object. Without ``get_remaining_time_in_millis`` (``None`` in a test, say)
        nothing is bounded.
    :param margin_seconds: how much of the remaining time is kept back for the function itself; by default a tenth,
        0.1 s to 1 s.

    Source: https://pymongo.readthedocs.io/en/stable/api/pymongo/index.html#pymongo.timeout
    """

    __slots__ = ("_context", "_margin", "_remaining_ms", "_timeout", "_token")

    def __init__(self, context: Any, *, margin_seconds: float | None = None) -> None:
        self._remaining_ms: Callable[[], int] | None = getattr(context, "get_remaining_time_in_millis", None)
        self._margin = margin_seconds
        self._context = context

    def __enter__(self) -> None:
        waits = Waits()
        self._token: Token[Waits | None] = WAITS.set(waits)
        self._timeout = None
        # Without a deadline the clients' own timeouts are what bounds an operation.
        seconds = float("inf")
        if self._remaining_ms is not None:
            seconds = deadline.seconds_for_operations(self._remaining_ms() / 1000, self._margin)
            waits.until = time.monotonic() + seconds
            self._timeout = pymongo.timeout(seconds)
            self._timeout.__enter__()
        thaw.at_invocation()
        # At most half of the time: what is then left is for the handler's own operations to fail in, with a reason.
        warmup.at_invocation(seconds / 2)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timeout is not None and self._remaining_ms is not None:
            self._timeout.__exit__(exc_type, exc_value, traceback)
            waits = WAITS.get()
            if isinstance(exc_value, PyMongoError) and waits is not None:
                deadline.explain(exc_value, waits, self._remaining_ms() / 1000)
        WAITS.reset(self._token)
        thaw.note_awake()
        shutdown.rearm()
        # A block within an invocation's block is no end of it.
        if WAITS.get() is None and (wanted := metrics()) is not None:
            wanted.flush(self._context)


@overload
def handler(function: Callable[_Arguments, Coroutine[Any, Any, _Result]], /) -> Callable[_Arguments, _Result]: ...
@overload
def handler(function: _Handler, /) -> _Handler: ...
@overload
def handler(*, margin_seconds: float | None = ...) -> Callable[[_Handler], _Handler]: ...
def handler(
    function: Callable[..., Any] | None = None, /, *, margin_seconds: float | None = None
) -> Callable[..., Any]:
    """
    Decorate a Lambda handler: its connections are looked after, and every operation ends before the invocation does.

    Used as ``@handler`` or ``@handler(margin_seconds=1.0)``; see :class:`invocation` for what is bounded. An
    ``async def`` becomes a handler that Lambda can call: it runs in the environment's event loop
    (:func:`warmline.event_loop`), and tasks that it leaves behind are cancelled. A callable such as a ``Mangum``
    object can be decorated too: ``lambda_handler = handler(Mangum(app))``.

    :raises warmline.UnsupportedHandlerError: it can't be bounded: a generator, or no callable.
    """
    if function is None:
        return functools.partial(handler, margin_seconds=margin_seconds)
    if not callable(function):
        raise UnsupportedHandlerError(f"@handler decorates a function, not {type(function).__name__}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise UnsupportedHandlerError(
            f"@handler can't bound {function.__qualname__}(): a generator runs after it has returned; "
            "make it a function that returns its result"
        )
    is_coroutine = inspect.iscoroutinefunction(function)
    shutdown.rearm()

    def bounded(event: Any, context: Any, *args: Any, **keywords: Any) -> Any:
        with invocation(context, margin_seconds=margin_seconds):
            result = function(event, context, *args, **keywords)
            return loop.run(result) if is_coroutine else result

    # An object that can be called, as Mangum's, need not have a function's attributes.
    return functools.update_wrapper(bounded, function)
