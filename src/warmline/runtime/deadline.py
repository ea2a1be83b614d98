"""
The time that an invocation has for its operations, and what an operation that ran out of it was waiting for.
"""

from __future__ import annotations

from pymongo.errors import ExecutionTimeout, PyMongoError, ServerSelectionTimeoutError

from .waits import Node, Waits

# What is left for the function after its last operation has failed: to raise, to log and to send the answer. A tenth
# of the time, within these bounds, and never more than half of it.
_SHARE = 0.1
_LEAST_SECONDS = 0.1
_MOST_SECONDS = 1.0

# pymongo.timeout() takes 0 as "no timeout", so a deadline that has passed must still be a little above.
_NO_TIME_SECONDS = 0.001

# Where PyMongo's texts go on with all that the driver knows.
_LONG_PARTS = (", full error: ", ", Timeout: ")

_FOR = {
    "server selection": "a server to be selected",
    "checkout": "a connection of the pool of {node}",
    "connecting": "a new connection to {node}",
    "socket": "an answer on the socket of {node}",
}


def seconds_for_operations(remaining_seconds: float, margin_seconds: float | None) -> float:
    """
    Return how much of the remaining time operations may take.

    :param margin_seconds: how much to keep back; ``None`` keeps a tenth, 0.1 s to 1 s.
    """
    if margin_seconds is None:
        margin_seconds = min(max(_SHARE * remaining_seconds, _LEAST_SECONDS), _MOST_SECONDS, remaining_seconds / 2)
    return max(remaining_seconds - margin_seconds, _NO_TIME_SECONDS)


def explain(error: PyMongoError, waits: Waits, remaining_seconds: float) -> None:
    """
    Add to the error of an operation that ran out of time what it waited for, how long, where, and what is left.

    The error stays what it is: its type, its code and ``timeout``.
    """
    if not error.timeout or not error.args or "warmline: " in str(error.args[0]):
        return
    what, seconds = waits.what, waits.seconds
    if isinstance(error, ServerSelectionTimeoutError):
        what = "server selection"
    if what is None:
        return
    node = _text(waits.node)
    awaited = _FOR[what].format(node=node)
    if isinstance(error, ExecutionTimeout):
        awaited = f"the operation to end on {node}"
    # Before the long part of PyMongo's text: a log shows the beginning.
    text = str(error.args[0])
    at = min((found for mark in _LONG_PARTS if (found := text.find(mark)) >= 0), default=len(text))
    said = f"warmline: waited {seconds:.2f} s for {awaited}; {remaining_seconds:.2f} s of the invocation are left"
    error.args = (f"{text[:at].rstrip('. ')}. {said}{text[at:]}", *error.args[1:])


def _text(node: Node | None) -> str:
    if node is None:
        return "the server"
    host, port = node
    # A Unix domain socket has a path and no port.
    return host if port is None else f"{host}:{port}"
