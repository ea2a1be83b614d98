"""
The Runtime API and the Extensions API of one execution environment.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html,
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html, and for what AWS does not write down the
public runtime interface emulator (aws/aws-lambda-runtime-interface-emulator).
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .function import MAX_RESPONSE_BYTES, FunctionSpec

_HEADER_LIMIT_BYTES = 2 * 1024 * 1024

# For requests under way; to aiohttp 0 would be no limit.
_CLOSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    How an invocation (or Init) ended: what was posted, and whether it was an error.
    """

    payload: bytes
    error: bool


@dataclass(slots=True)
class Invocation:
    """
    One event on its way through an environment. ``deadline`` is wall-clock seconds, ``arn`` what was invoked: the
    function's without a qualifier if it is empty.
    """

    payload: bytes
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    client_context: str | None = None
    arn: str = ""
    deadline: float = 0.0
    outcome: asyncio.Future[Outcome] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class RuntimeAPI:
    """
    Serves one environment on an address of its own, as the runtime client wants it.

    ``init`` resolves once: with ``None`` when the runtime and all its extensions wait for events (with SnapStart: for
    the snapshot), or with the error that the runtime has posted. ``restored`` does so after the restore.

    Any number of runtimes may wait at the same time: the workers of a managed instance. ``waiting`` counts them.
    """

    def __init__(self, function: FunctionSpec) -> None:
        self._function = function
        self.init: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        self.restored: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        self.idle = asyncio.Event()
        self.extensions: dict[str, str] = {}
        self._extensions_waiting: set[str] = set()
        self.waiting = 0
        self._runtime_started = False
        self._waits_for_restore = False
        self._restore = asyncio.Event()
        # ``None`` is the end.
        self._queue: asyncio.Queue[Invocation | None] = asyncio.Queue()
        self._running: dict[str, Invocation] = {}
        self._closing = asyncio.Event()
        self._listener: asyncio.Server | None = None
        self._server = web.Server(
            self._serve,
            access_log=None,
            # The runtime client sends its X-Ray cause as a header of up to 1 MiB.
            max_line_size=_HEADER_LIMIT_BYTES,
            max_field_size=_HEADER_LIMIT_BYTES,
            request_factory=_request,
            # A worker that has ended must not be handed an event.
            handler_cancellation=True,
        )

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
        loop = asyncio.get_running_loop()
        if listener is None:
            self._listener = await loop.create_server(self._server, "127.0.0.1", 0)
        else:
            self._listener = await loop.create_server(self._server, sock=listener)
        host, port = self._listener.sockets[0].getsockname()
        return f"{host}:{port}"

    async def close(self) -> None:
        """
        Stop listening and let go of the requests that still wait.
        """
        self._closing.set()
        self._restore.set()
        self._queue.put_nowait(None)
        if self._listener is not None:
            self._listener.close()
        # Idle connections first: the server would wait until their keep-alive ends.
        self._server.pre_shutdown()
        await self._server.shutdown(_CLOSE_SECONDS)

    def give(self, invocation: Invocation) -> None:
        """
        Hand an event to the runtime's next call.
        """
        self.idle.clear()
        self._queue.put_nowait(invocation)

    def restore(self) -> None:
        """
        Let the runtime go on after the snapshot.
        """
        self._restore.set()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        match (request.method, *request.path.strip("/").split("/")):
            case "GET", "2018-06-01", "runtime", "invocation", "next":
                return await self._next()
            case "POST", "2018-06-01", "runtime", "invocation", request_id, ("response" | "error") as what:
                return self._finish(request_id, await request.read(), error=what == "error")
            case "POST", "2018-06-01", "runtime", "init", "error":
                return self._init_error(await request.read())
            case "GET", "2018-06-01", "runtime", "restore", "next":
                return await self._restore_next()
            case "POST", "2018-06-01", "runtime", "restore", "error":
                _resolve(self.restored, Outcome(await request.read(), error=True))
                return _accepted()
            case "POST", "2020-01-01", "extension", "register":
                return self._register(request.headers.get("Lambda-Extension-Name"), await request.read())
            case "GET", "2020-01-01", "extension", "event", "next":
                return await self._extension_next(request.headers.get("Lambda-Extension-Identifier", ""))
        return _error(404, "NotFound", f"{request.method} {request.path} is not part of the API")

    async def _next(self) -> web.Response:
        self._runtime_started = True
        self.waiting += 1
        self._check_idle()
        try:
            invocation = await self._queue.get()
        finally:
            self.waiting -= 1
        if invocation is None:
            # For the others that wait.
            self._queue.put_nowait(None)
            return _ending()
        self._running[invocation.request_id] = invocation
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.arn or self._function.arn,
            "Lambda-Runtime-Trace-Id": _trace_id(),
        }
        if invocation.client_context:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        return web.Response(body=invocation.payload, headers=headers, content_type="application/json")

    def _finish(self, request_id: str, body: bytes, *, error: bool) -> web.Response:
        invocation = self._running.pop(request_id, None)
        if invocation is None:
            return _error(400, "InvalidRequestID", "Invalid request ID")
        too_large = len(body) > MAX_RESPONSE_BYTES
        if too_large:
            message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
            body = json.dumps({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}).encode()
        if not invocation.outcome.done():
            invocation.outcome.set_result(Outcome(body, error or too_large))
        if too_large:
            return _error(413, "RequestEntityTooLarge", message)
        return _accepted()

    async def _restore_next(self) -> web.Response:
        self._runtime_started = True
        self._waits_for_restore = True
        self._check_idle()
        await self._restore.wait()
        if self._closing.is_set():
            return _ending()
        self._waits_for_restore = False
        return web.Response()

    def _init_error(self, body: bytes) -> web.Response:
        if self.init.done() and self._function.managed:
            return _error(403, "InvalidStateTransition", "another worker has ended the Init phase already")
        _resolve(self.init, Outcome(body, error=True))
        return _accepted()

    def _register(self, name: str | None, body: bytes) -> web.Response:
        if self._runtime_started:
            return _error(403, "Extension.RegistrationClosed", "Extension registration closed already")
        try:
            events = json.loads(body or b"{}").get("events", [])
        except (ValueError, AttributeError):
            return _error(400, "Extension.InvalidRequestFormat", "the body is not a JSON object")
        if not isinstance(events, list):
            return _error(400, "Extension.InvalidRequestFormat", "events is not a list")
        if not name:
            return _error(403, "Extension.InvalidExtensionName", "the header Lambda-Extension-Name is missing")
        # No extension comes as a file here, so every one is internal; those are not told of the shutdown.
        if "SHUTDOWN" in events:
            return _error(403, "Extension.InvalidEventType", "SHUTDOWN: event not supported for internal extensions")
        if name in self.extensions.values():
            return _error(403, "Extension.InvalidExtensionState", "Extension with this name already registered")
        identifier = str(uuid.uuid4())
        self.extensions[identifier] = name
        about = {
            "functionName": self._function.name,
            "functionVersion": self._function.version,
            "handler": self._function.handler,
        }
        return web.json_response(about, headers={"Lambda-Extension-Identifier": identifier})

    async def _extension_next(self, identifier: str) -> web.Response:
        if identifier not in self.extensions:
            return _error(
                403, "Extension.UnknownExtensionIdentifier", f"no extension has the identifier {identifier!r}"
            )
        self._extensions_waiting.add(identifier)
        self._check_idle()
        # Internal extensions that ask for INVOKE events are not served yet; the others wait for ever, as on AWS.
        await self._closing.wait()
        return _ending()

    def _check_idle(self) -> None:
        if not self._extensions_waiting >= self.extensions.keys():
            return
        if self.waiting or self._waits_for_restore:
            _resolve(self.init, None)
        if self.waiting:
            self.idle.set()
            _resolve(self.restored, None)


def _resolve(phase: asyncio.Future[Outcome | None], outcome: Outcome | None) -> None:
    """
    Note how a phase ended, unless that is known already.
    """
    if not phase.done():
        phase.set_result(outcome)


def _trace_id() -> str:
    """
    Return a trace header as Lambda's: with a parent, without which X-Ray's SDK takes it for none.
    """
    root = f"1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
    return f"Root={root};Parent={uuid.uuid4().hex[:16]};Sampled=0"


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    # 0 is no limit: a response that is too large must be read before it can be answered.
    return web.BaseRequest(message, payload, protocol, writer, task, asyncio.get_running_loop(), client_max_size=0)


def _ending() -> web.Response:
    return _error(500, "ShuttingDown", "the environment is ending")


def _accepted() -> web.Response:
    return web.json_response({"status": "OK"}, status=202)


def _error(status: int, kind: str, message: str) -> web.Response:
    return web.json_response({"errorType": kind, "errorMessage": message}, status=status)
