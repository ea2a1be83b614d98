"""
What an internal extension does, for the handlers of these tests, which have this module next to them.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

Answer = tuple[int, str, str]


def call(method: str, path: str, body: str | None = None, **headers: str) -> Answer:
    """
    Ask the Extensions API: the status, the identifier and the error type that it answers.
    """
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    named = {f"Lambda-Extension-{name.title()}": value for name, value in headers.items()}
    connection.request(method, f"/2020-01-01/extension/{path}", body, named)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, response.getheader("Lambda-Extension-Identifier", ""), answer.get("errorType", "")


def register(name: str = "warmline", body: str = '{"events": []}') -> Answer:
    """
    Register as an extension.
    """
    return call("POST", "register", body, name=name)


def next_event(identifier: str) -> Any:
    """
    Wait for the next event.
    """
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request("GET", "/2020-01-01/extension/event/next", None, {"Lambda-Extension-Identifier": identifier})
    return json.loads(connection.getresponse().read())


def wait_in_background(identifier: str, until: Callable[[], object] | None = None) -> None:
    """
    Wait for events, of which there will be none; before that, for something else.
    """

    def wait() -> None:
        if until is not None:
            until()
        call("GET", "event/next", identifier=identifier)

    threading.Thread(target=wait, daemon=True).start()


def on_sigterm(action: Callable[[], object]) -> None:
    """
    Do something on SIGTERM, at once, whatever the main thread is in; call it before any thread is started.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])

    def wait() -> None:
        signal.sigwait([signal.SIGTERM])
        action()

    threading.Thread(target=wait, daemon=True).start()
