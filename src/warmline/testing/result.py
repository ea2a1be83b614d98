"""
What an invocation gives back, success and failure alike.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..lab.aws import InvokeResult
from ..lab.errors import Throttled
from .errors import InvocationFailed

THROTTLED = "TooManyRequestsException"
TIMED_OUT = "Sandbox.Timedout"


@dataclass(frozen=True, slots=True)
class Result:
    """
    One invocation's end.

    ``error_type`` is ``None`` if it went well, else what Lambda says: the exception's class name,
    ``Sandbox.Timedout``, ``Runtime.ExitError`` for a process that has ended, ``TooManyRequestsException`` for one that
    was throttled. Milliseconds are those of the lab: ``latency_ms`` the caller waited, ``duration_ms`` the handler
    took, ``init_ms`` a cold start's Init (``None``: it was warm). ``log`` is the end of what the function has printed.
    """

    payload: bytes
    error_type: str | None
    error_message: str = ""
    environment: str | None = None
    latency_ms: float = 0.0
    duration_ms: float = 0.0
    init_ms: float | None = None
    log: str = ""

    @property
    def ok(self) -> bool:
        """
        Whether the handler has returned.
        """
        return self.error_type is None

    @property
    def cold(self) -> bool:
        """
        Whether an environment was started for it.
        """
        return self.init_ms is not None

    @property
    def timed_out(self) -> bool:
        """
        Whether Lambda ended it at the function's timeout.
        """
        return self.error_type == TIMED_OUT

    @property
    def throttled(self) -> bool:
        """
        Whether the function's reserved concurrency was used up, so that it never ran.
        """
        return self.error_type == THROTTLED

    @property
    def value(self) -> Any:
        """
        What the handler has returned.

        :raises InvocationFailed: it has not.
        """
        if self.ok:
            return json.loads(self.payload)
        error = InvocationFailed(f"the invocation failed with {self.error_type}: {self.error_message}")
        if self.log:
            error.add_note(f"its environment {self.environment} has printed:\n{self.log}")
        raise error


def result_of(invoked: InvokeResult) -> Result:
    """
    Read the answer of an invocation that ran.
    """
    kind = message = None
    if invoked.function_error:
        try:
            posted = json.loads(invoked.payload)
            kind, message = posted.get("errorType"), posted.get("errorMessage")
        except (ValueError, AttributeError):
            # Not the runtime client's own form.
            message = invoked.payload.decode(errors="replace")
        kind = kind or invoked.function_error
    return Result(
        invoked.payload,
        kind,
        message or "",
        invoked.environment,
        invoked.latency_ms,
        invoked.duration_ms,
        invoked.init_ms,
        invoked.log_tail,
    )


def throttled(error: Throttled) -> Result:
    """
    What the caller of an invocation that never ran is told.
    """
    return Result(b"", THROTTLED, str(error))
