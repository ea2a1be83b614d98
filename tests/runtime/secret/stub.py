"""
The HTTP interface of the AWS Parameters and Secrets Lambda Extension, of which there is no emulator.

Paths, parameters, header and answers are those that AWS documents; the texts of its errors are those that its users
report: https://github.com/awslabs/aws-sdk-rust/issues/905 and https://repost.aws/questions/QUPEC-ItLhT9ipewWJf3rz0Q.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

FAILED = "an unexpected error occurred while executing request"


class ExtensionStub:
    """
    Serves what ``fetch`` gets for it, and keeps that as the extension does.

    :param fetch: takes ``secretsmanager`` or ``ssm`` and the parameters, and returns the service's answer.
    """

    def __init__(self, fetch: Callable[[str, dict[str, str]], dict[str, Any]], token: str) -> None:
        self.fetch = fetch
        self.token = token
        self.ready = True
        # Whether refreshNow goes past the cache.
        self.refreshes = True
        # In place of an answer, if there is one.
        self.answer: tuple[int, str] | None = None
        self.requests: list[dict[str, str]] = []
        self._kept: dict[object, dict[str, Any]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def respond(self, path: str, token: str | None) -> tuple[int, str]:
        parts = urlsplit(path)
        parameters = dict(parse_qsl(parts.query))
        self.requests.append(parameters)
        if self.answer is not None:
            return self.answer
        if token != self.token:
            return 401, "bad session token or header key"
        if not self.ready:
            return 400, "not ready to serve traffic, please wait"
        service = {"/secretsmanager/get": "secretsmanager", "/systemsmanager/parameters/get": "ssm"}[parts.path]
        fresh = parameters.pop("refreshNow", "") == "true" and self.refreshes
        key = (service, *sorted(parameters.items()))
        try:
            if fresh or key not in self._kept:
                self._kept[key] = self.fetch(service, parameters)
        except Exception:
            return 400, FAILED
        return 200, json.dumps(self._kept[key], default=str)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, text = stub.respond(self.path, self.headers.get("X-Aws-Parameters-Secrets-Token"))
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

        return Handler
