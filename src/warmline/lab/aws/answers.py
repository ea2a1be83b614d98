"""
What the Runtime API and the Extensions API answer, in the form that Lambda gives it.

Source: the public runtime interface emulator (aws/aws-lambda-runtime-interface-emulator, ``rapi/rendering``).
"""

from __future__ import annotations

from aiohttp import web


class Refused(Exception):  # noqa: N818 - what a client is told, no fault of the lab
    """
    A request that the API can't serve: the status, and the error type and message that its body has.
    """

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.response = error(status, kind, message)


def accepted() -> web.Response:
    """
    Take what was posted.
    """
    return web.json_response({"status": "OK"}, status=202)


def error(status: int, kind: str, message: str) -> web.Response:
    """
    Refuse, or take and say what did not come of it.
    """
    return web.json_response({"errorType": kind, "errorMessage": message}, status=status)


def ending() -> web.Response:
    """
    Let go of a request that waits for an event.
    """
    return error(500, "ShuttingDown", "the environment is ending")
