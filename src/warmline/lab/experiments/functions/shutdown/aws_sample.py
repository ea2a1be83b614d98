"""
The pattern of AWS's sample: an extension so that SIGTERM comes, and a signal handler that cleans up and exits.

The sample has an extension from a layer; this one registers by itself, as an internal one.

Source: https://github.com/aws-samples/graceful-shutdown-with-aws-lambda/blob/main/python-demo/hello_world/app.py
"""

from __future__ import annotations

import http.client
import os
import signal
import sys
import threading
from typing import Any

from pymongo import MongoClient
from work import work

client: MongoClient[dict[str, Any]] = MongoClient(os.environ["MONGODB_URI"])
client.admin.command("ping")


def exit_gracefully(number: int, frame: object) -> None:
    print("[runtime] SIGTERM received")
    client.close()
    print("[runtime] exiting")
    sys.exit(0)


def register() -> None:
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    api.request("POST", "/2020-01-01/extension/register", '{"events": []}', {"Lambda-Extension-Name": "graceful"})
    answer = api.getresponse()
    answer.read()
    identifier = {"Lambda-Extension-Identifier": answer.headers["Lambda-Extension-Identifier"]}

    def wait() -> None:
        api.request("GET", "/2020-01-01/extension/event/next", headers=identifier)
        api.getresponse()

    threading.Thread(target=wait, daemon=True).start()


signal.signal(signal.SIGTERM, exit_gracefully)
register()


def lambda_handler(event: dict[str, Any], context: object) -> None:
    work(client["shop"]["orders"], event)
