"""
The HTTP server of one environment's APIs: an address of its own, the paths, and what is not among them.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html,
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html, and the public runtime interface emulator
(aws/aws-lambda-runtime-interface-emulator: ``rapi/router.go``).
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from .answers import Refused

_HEADER_LIMIT_BYTES = 2 * 1024 * 1024

# For requests under way; to aiohttp 0 would be no limit.
_CLOSE_SECONDS = 0.5

_ROUTES = tuple(
    (method, re.compile(path), what)
    for method, path, what in (
        ("GET", "/2018-06-01/runtime/invocation/next", "next"),
        ("POST", "/2018-06-01/runtime/invocation/(?P<id>[^/]+)/(?P<how>response|error)", "finish"),
        ("POST", "/2018-06-01/runtime/init/error", "init-error"),
        ("GET", "/2018-06-01/runtime/restore/next", "restore-next"),
        ("POST", "/2018-06-01/runtime/restore/error", "restore-error"),
        ("POST", "/2020-01-01/extension/register", "register"),
        ("GET", "/2020-01-01/extension/event/next", "event"),
        ("POST", "/2020-01-01/extension/(?P<phase>init|exit)/error", "give-up"),
        ("PUT", "/2022-07-01/telemetry", "Telemetry"),
        ("PUT", "/2020-08-15/logs", "Logs"),
    )
)

_log = logging.getLogger(__name__)
# That a handler posts what is no HTTP is its own affair: it gets a 400. A fault of ours is still told.
_log.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)))

Answer = Callable[[str, re.Match[str], web.BaseRequest], Awaitable[web.StreamResponse]]


class ApiServer:
    """
    Listens on a loopback port and has ``answer`` serve what is part of the APIs.

    :param snap_start: the paths of the restore are part of it
    """

    def __init__(self, answer: Answer, *, snap_start: bool) -> None:
        self._answer = answer
        self._routes = [route for route in _ROUTES if snap_start or not route[2].startswith("restore")]
        self._listener: asyncio.Server | None = None
        self._server = web.Server(
            self._serve,
            access_log=None,
            logger=_log,
            # The runtime client sends its X-Ray cause as a header of up to 1 MiB.
            max_line_size=_HEADER_LIMIT_BYTES,
            max_field_size=_HEADER_LIMIT_BYTES,
            request_factory=_request,
            # A worker that has ended must not be handed an event.
            handler_cancellation=True,
        )

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
        Stop listening, and give requests under way a moment.
        """
        if self._listener is not None:
            self._listener.close()
        # Idle connections first: the server would wait until their keep-alive ends.
        self._server.pre_shutdown()
        await self._server.shutdown(_CLOSE_SECONDS)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        found = False
        for method, path, what in self._routes:
            called = path.fullmatch(request.path)
            if called is None:
                continue
            found = True
            if method == request.method:
                try:
                    return await self._answer(what, called, request)
                except Refused as refused:
                    return refused.response
        return web.Response(status=405) if found else web.Response(status=404, text="404 page not found")


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    # 0 is no limit: a response that is too large must be read before it can be answered.
    return web.BaseRequest(message, payload, protocol, writer, task, asyncio.get_running_loop(), client_max_size=0)
