"""
The Runtime API of one execution environment, with the Extensions API on the same address.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, and for what AWS does not write down the
public runtime interface emulator (aws/aws-lambda-runtime-interface-emulator: ``core/states.go``, ``rapi/handler``).
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Iterable
from enum import Enum

from aiohttp import web

from .answers import Refused, accepted, ending, error
from .api_server import ApiServer
from .extensions import Extensions, ShutdownReason
from .function import MAX_RESPONSE_BYTES, FunctionSpec
from .invocation import Invocation, Outcome

# An error whose body names its cause for X-Ray; the caller gets the rest of it.
_WITH_CAUSE = "application/vnd.aws.lambda.error.cause+json"


class Stage(Enum):
    """
    Where the runtime stands, by the emulator's names. The workers of a managed instance are each where they are.
    """

    STARTED = "Started"
    INIT_ERROR = "InitError"
    RESTORE_READY = "RestoreReady"
    RESTORING = "Restoring"
    RESTORE_ERROR = "RestoreError"
    READY = "Ready"
    RUNNING = "Running"
    RESPONSE_SENT = "ResponseSent"


class RuntimeAPI:
    """
    Serves one environment on an address of its own, as the runtime client wants it.

    ``init`` resolves once: with ``None`` when the runtime and all its extensions wait for events (with SnapStart: for
    the snapshot), or with the error that the runtime has posted. ``restored`` does so after the restore.

    Any number of runtimes may wait at the same time: the workers of a managed instance. ``waiting`` counts them.

    :param external: the names of the extensions that come as files
    """

    def __init__(self, function: FunctionSpec, external: Iterable[str] = ()) -> None:
        self._function = function
        self.init: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        self.restored: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        self.idle = asyncio.Event()
        self.extensions = Extensions(function, external, self._check_idle)
        self.waiting = 0
        self._stage = Stage.STARTED
        self._restore = asyncio.Event()
        # ``None`` is the end.
        self._queue: asyncio.Queue[Invocation | None] = asyncio.Queue()
        self._running: dict[str, Invocation] = {}
        # Whose answer has come, until the runtime asks for the next.
        self._answered: str | None = None
        self._closing = asyncio.Event()
        self._server = ApiServer(self._answer, snap_start=function.initialization == "snap-start")

    @property
    def busy(self) -> bool:
        """
        Whether a runtime has an event that it has not answered.
        """
        return bool(self._running)

    async def open(self, listener: socket.socket | None = None) -> str:
        """
        Listen on a free loopback port, or by this socket, and return ``host:port``.
        """
        return await self._server.open(listener)

    async def close(self) -> None:
        """
        Stop listening and let go of the requests that still wait.
        """
        self._closing.set()
        self._restore.set()
        self._queue.put_nowait(None)
        self.extensions.close()
        await self._server.close()

    def give(self, invocation: Invocation) -> None:
        """
        Hand an event to the runtime's next call, and tell the extensions.
        """
        self.idle.clear()
        self.extensions.deliver(
            {
                "eventType": "INVOKE",
                "deadlineMs": int(invocation.deadline * 1000),
                "requestId": invocation.request_id,
                "invokedFunctionArn": invocation.arn or self._function.arn,
                "tracing": {"type": "X-Amzn-Trace-Id", "value": invocation.trace_id},
            }
        )
        self._queue.put_nowait(invocation)

    def restore(self) -> None:
        """
        Let the runtime go on after the snapshot.
        """
        self._restore.set()

    def shut_down(self, reason: ShutdownReason, deadline: float) -> None:
        """
        Tell the external extensions of the end, which comes at a wall-clock time in seconds.
        """
        self.extensions.deliver(
            {"eventType": "SHUTDOWN", "deadlineMs": int(deadline * 1000), "shutdownReason": reason.value}
        )

    async def _answer(self, what: str, called: re.Match[str], request: web.BaseRequest) -> web.Response:
        match what:
            case "next":
                return await self._next()
            case "finish":
                return await self._finish(called["id"], request, failed=called["how"] == "error")
            case "init-error":
                return self._init_error(await request.read())
            case "restore-next":
                return await self._restore_next()
            case "restore-error":
                return self._restore_error(await request.read())
            case "register":
                return self.extensions.register(request.headers, await request.read())
            case "event":
                return await self.extensions.next(request.headers)
            case "give-up":
                return self.extensions.give_up(request.headers, called["phase"])
        # What the emulator says, so that extensions which subscribe go on.
        return error(202, f"{what}.NotSupported", f"{what} API is not supported")

    async def _next(self) -> web.Response:
        self.extensions.closed = True
        if not self._function.managed:
            if self._stage is Stage.RUNNING:
                # Asked again before it has answered: the same event.
                return self._event(next(iter(self._running.values())))
            self._move(Stage.READY, after=(Stage.STARTED, Stage.RESTORING, Stage.READY, Stage.RESPONSE_SENT))
            self._answered = None
        self.waiting += 1
        self._check_idle()
        try:
            invocation = await self._queue.get()
        finally:
            self.waiting -= 1
        if invocation is None:
            # For the others that wait.
            self._queue.put_nowait(None)
            return ending()
        self._stage = Stage.RUNNING
        self._running[invocation.request_id] = invocation
        return self._event(invocation)

    def _event(self, invocation: Invocation) -> web.Response:
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.arn or self._function.arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        }
        if invocation.client_context:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        return web.Response(body=invocation.payload, headers=headers, content_type="application/json")

    async def _finish(self, request_id: str, request: web.BaseRequest, *, failed: bool) -> web.Response:
        if request_id == self._answered:
            what = "InvocationErrorResponse" if failed else "InvocationResponse"
            raise Refused(403, "InvalidStateTransition", self._no_way_to(what))
        if request_id not in self._running:
            raise Refused(400, "InvalidRequestID", "Invalid request ID")
        body = await request.read()
        if failed and request.headers.get("Content-Type") == _WITH_CAUSE:
            body = _without_cause(body)
        refused: Refused | None = None
        if len(body) > MAX_RESPONSE_BYTES:
            message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
            refused = Refused(413, "RequestEntityTooLarge", message)
            body = json.dumps({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}).encode()
        elif not failed and request.headers.get("Lambda-Runtime-Function-Response-Mode", "streaming") != "streaming":
            refused = Refused(400, "InvalidFunctionResponseMode", "Invalid function response mode")
            body = b""
        # It may have been answered while the body was read.
        invocation = self._running.pop(request_id, None)
        if invocation is None:
            raise Refused(400, "InvalidRequestID", "Invalid request ID")
        if not self._function.managed:
            self._stage, self._answered = Stage.RESPONSE_SENT, request_id
        if not invocation.outcome.done():
            invocation.outcome.set_result(Outcome(body, failed or refused is not None))
        if refused:
            raise refused
        return accepted()

    async def _restore_next(self) -> web.Response:
        self.extensions.closed = True
        self._move(Stage.RESTORE_READY, after=(Stage.STARTED,))
        self._check_idle()
        await self._restore.wait()
        if self._closing.is_set():
            return ending()
        self._stage = Stage.RESTORING
        return web.Response()

    def _restore_error(self, body: bytes) -> web.Response:
        self._move(Stage.RESTORE_ERROR, after=(Stage.RESTORING,))
        _resolve(self.restored, Outcome(body, error=True))
        return accepted()

    def _init_error(self, body: bytes) -> web.Response:
        if self._stage is Stage.RESTORING:
            return self._restore_error(body)
        if self._function.managed:
            if self.init.done():
                raise Refused(403, "InvalidStateTransition", "another worker has ended the Init phase already")
        else:
            self._move(Stage.INIT_ERROR, after=(Stage.STARTED,))
        _resolve(self.init, Outcome(body, error=True))
        return accepted()

    def _move(self, stage: Stage, *, after: Iterable[Stage]) -> None:
        if self._stage not in after:
            raise Refused(403, "InvalidStateTransition", self._no_way_to(stage.value))
        self._stage = stage

    def _no_way_to(self, stage: str) -> str:
        way = f"State transition from {self._stage.value} to {stage} failed for runtime"
        return f"{way}. Error: State transition is not allowed"

    def _check_idle(self) -> None:
        if not self.extensions.ready:
            return
        if self.waiting or self._stage is Stage.RESTORE_READY:
            _resolve(self.init, None)
        # A runtime may ask twice: then one call waits while the other has an event.
        if self.waiting and self._queue.empty() and not self._running:
            self.idle.set()
            _resolve(self.restored, None)


def _resolve(phase: asyncio.Future[Outcome | None], outcome: Outcome | None) -> None:
    """
    Note how a phase ended, unless that is known already.
    """
    if not phase.done():
        phase.set_result(outcome)


def _without_cause(body: bytes) -> bytes:
    """
    Keep of an error what the caller gets; X-Ray gets the cause.
    """
    try:
        posted = json.loads(body)
        kept = {name: posted[name] for name in ("errorMessage", "errorType", "stackTrace") if name in posted}
    except (ValueError, TypeError):
        return b'"Invalid error body"'
    return json.dumps(kept).encode()
