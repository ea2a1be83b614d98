"""
An endpoint in a thread that answers what a test tells it to.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = {
    "AccessKeyId": "ASIAEXAMPLE",
    "SecretAccessKey": "s3cr3t",
    "Token": "t0k3n",
    "Expiration": "2100-01-01T00:00:00Z",
}


@dataclass
class Endpoint:
    """
    The answers still to be given (status, body), the last one again and again; and the headers that were received.

    While ``answering`` is cleared it takes requests and does not answer.
    """

    answers: list[tuple[int, bytes]]
    port: int = 0
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/s3cr3t-path?q=1"


@contextmanager
def serving(*answers: tuple[int, bytes], tls: ssl.SSLContext | None = None) -> Iterator[Endpoint]:
    endpoint = Endpoint(list(answers))
    endpoint.answering.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            endpoint.requests.append((self.path, dict(self.headers)))
            endpoint.answering.wait(20)
            status, body = endpoint.answers.pop(0) if len(endpoint.answers) > 1 else endpoint.answers[0]
            # Who asked may have given up.
            with suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        endpoint.port = server.server_address[1]
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield endpoint
        finally:
            endpoint.answering.set()
            server.shutdown()
            thread.join()
