"""
What an external extension does, for those of these tests: they have this module's text in front of their own.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
from pathlib import Path
from typing import Any

NAME = Path(sys.argv[0]).name


def ask(method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
    """
    Ask the Extensions API: the status, the JSON and the headers that it answers.
    """
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    named = {f"Lambda-Extension-{name.title().replace('_', '-')}": value for name, value in headers.items()}
    connection.request(method, f"/2020-01-01/extension/{path}", body, named)
    response = connection.getresponse()
    answer = response.status, json.loads(response.read()), dict(response.getheaders())
    connection.close()
    return answer


def register(*events: str) -> str:
    """
    Register under the file's name for these events, and return the identifier.
    """
    return ask("POST", "register", json.dumps({"events": events}), name=NAME)[2]["Lambda-Extension-Identifier"]


def next_event(identifier: str) -> Any:
    """
    Wait for the next event.
    """
    return ask("GET", "event/next", identifier=identifier)[1]


def note(what: Any) -> None:
    """
    Put a line on the record that the test reads.
    """
    with Path(os.environ["NOTES"]).open("a") as file:
        file.write(json.dumps([NAME, what]) + "\n")
