"""
Getting ready for the end of the environment: registered as an extension, and listening for SIGTERM.

On Lambda alone; what does the work (``extension``, ``closer``) is not even imported elsewhere.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html (Shutdown phase)
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .closer import Closer

_log = logging.getLogger("warmline")

SWITCH = "WARMLINE_SHUTDOWN"


class _Readiness:
    """
    What has been done in this process.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.registered = False
        self.closer: Closer | None = None
        self.masks = threading.local()

    def before_fork(self) -> None:
        if self.closer is not None:
            # Until it has left our pipe, the child would write its own SIGTERM into it, and we would end.
            self.masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def after_fork(self) -> None:
        mask = vars(self.masks).pop("before", None)
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def after_fork_in_child(self) -> None:
        # That the environment is registered stays true.
        self.lock = threading.Lock()
        if self.closer is not None:
            self.closer.leave()
            self.closer = None
        self.after_fork()


_ready = _Readiness()
os.register_at_fork(
    before=_ready.before_fork, after_in_parent=_ready.after_fork, after_in_child=_ready.after_fork_in_child
)


def arm() -> None:
    """
    Get ready, if this is Lambda and ``WARMLINE_SHUTDOWN`` is not ``off``; never raise.

    Called when warmline is imported and at each ``connect()``: a process that was forked from one which had imported
    warmline already gets its variables later. A handler that the function has put on SIGTERM, before or since, is
    called when the signal comes, before the clients are closed: in a thread, for 200 ms at most.
    """
    api = os.environ.get("AWS_LAMBDA_RUNTIME_API")
    if not api or os.environ.get(SWITCH, "").lower() == "off":
        return
    with _ready.lock:
        if not _ready.registered:
            from . import extension

            _ready.registered = True
            extension.register(api)
        if _ready.closer is None:
            from .closer import Closer

            try:
                _ready.closer = Closer()
            except (OSError, RuntimeError) as error:
                _log.warning("warmline: the clients won't be closed at the environment's end: %s", error)
    rearm()


def rearm() -> None:
    """
    Take the signal back from whoever has taken it since; costs about a microsecond, and nothing before ``arm()``.

    An asyncio loop with a signal handler takes the wakeup file descriptor, and loses it for everybody when it closes.
    """
    if _ready.closer is not None:
        try:
            _ready.closer.take()
        except ValueError as error:
            _log.debug("warmline: this thread can't listen for SIGTERM: %s", error)
