"""
An invocation's remaining time as the bound of every operation in it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar, overload

import pymongo

from .errors import UnsupportedHandlerError

# What is left for the function after its last operation has failed: to raise, to log and to send the answer.
MARGIN_SECONDS = 0.25

# pymongo.timeout() takes 0 as "no timeout", so a deadline that has passed must still be a little above.
_NO_TIME_SECONDS = 0.001

_Handler = TypeVar("_Handler", bound=Callable[..., Any])


class invocation:  # noqa: N801  a context manager, used like pymongo.timeout
    """
    Bound every operation in the ``with`` block by what is left of the invocation.

    For frameworks that call your code with the Lambda context but not through your own handler::

        with invocation(context):
            orders.find_one({"_id": 1})

    An operation that does not finish in time raises PyMongo's own error, with ``error.timeout`` true, before Lambda
    ends the invocation with "Task timed out". A ``pymongo.timeout()`` inside can only shorten the time. The bound
    holds for the thread (or task) that enters the block, not for threads that it starts.

    :param context: the Lambda context object. Without ``get_remaining_time_in_millis`` (``None`` in a test, say)
        nothing is bounded.
    :param margin_seconds: how much of the remaining time is kept back for the function itself.

    Source: https://pymongo.readthedocs.io/en/stable/api/pymongo/index.html#pymongo.timeout
    """

    __slots__ = ("_timeout",)

    def __init__(self, context: Any, *, margin_seconds: float = MARGIN_SECONDS) -> None:
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        seconds = None
        if remaining is not None:
            seconds = max(remaining() / 1000 - margin_seconds, _NO_TIME_SECONDS)
        self._timeout = pymongo.timeout(seconds) if seconds is not None else None

    def __enter__(self) -> None:
        if self._timeout is not None:
            self._timeout.__enter__()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timeout is not None:
            self._timeout.__exit__(exc_type, exc_value, traceback)


@overload
def handler(function: _Handler, /) -> _Handler: ...
@overload
def handler(*, margin_seconds: float = ...) -> Callable[[_Handler], _Handler]: ...
def handler(
    function: Callable[..., Any] | None = None, /, *, margin_seconds: float = MARGIN_SECONDS
) -> Callable[..., Any]:
    """
    Decorate a Lambda handler: every operation in it ends before the invocation does.

    Used as ``@handler`` or ``@handler(margin_seconds=1.0)``; see :class:`invocation` for what is bounded.

    :raises warmline.UnsupportedHandlerError: the handler is not a plain function: ``async def`` or a generator.
    """
    if function is None:
        return functools.partial(handler, margin_seconds=margin_seconds)
    if not callable(function):
        raise UnsupportedHandlerError(f"@handler decorates a function, not {type(function).__name__}")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise UnsupportedHandlerError(
            f"@handler can't bound {function.__qualname__}(): it is no plain function; "
            "make it a `def` that returns its result"
        )

    @functools.wraps(function)
    def bounded(event: Any, context: Any, *args: Any, **keywords: Any) -> Any:
        with invocation(context, margin_seconds=margin_seconds):
            return function(event, context, *args, **keywords)

    return bounded
