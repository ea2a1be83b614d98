"""
The internal extension without which Lambda ends an environment unasked: it asks for no event, it only has to be there.

With one registered, Lambda sends SIGTERM and waits 500 ms before it kills; with none it kills at once. Internal means:
part of the function's own process, under a name that is no file in ``/opt/extensions``.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import logging
import socket
import threading

from .environment import on_managed_instances

_log = logging.getLogger("warmline")

NAME = "warmline"

# The API is on the same machine and answers within a millisecond.
_ANSWER_SECONDS = 0.5

# How long Init waits for the registration, which must come before the runtime asks for its first event. Whatever
# takes longer goes on beside Init.
_INIT_WAIT_SECONDS = 0.005

# "Extension with this name already registered": what AWS's emulator calls it, and what other emulators do.
_REGISTERED_BEFORE = (b"Extension.InvalidExtensionState", b"Extension.AlreadyRegistered")
_TOO_LATE = b"Extension.RegistrationClosed"


def register(api: str) -> None:
    """
    Register, and wait for events, of which there will be none, in a thread; never raise.

    A failure leaves one line in the log. Init would not end if the extension did not ask for its next event.

    :param api: ``host:port`` of the Extensions API (``AWS_LAMBDA_RUNTIME_API``).
    """
    answered = threading.Event()
    try:
        threading.Thread(target=_attend, args=(api, answered), name="warmline-extension", daemon=True).start()
    except RuntimeError as error:
        _failed(error)
        return
    answered.wait(_INIT_WAIT_SECONDS)


def _attend(api: str, answered: threading.Event) -> None:
    try:
        identifier = _identifier(api)
    except (OSError, ValueError) as error:
        _failed(error)
        return
    finally:
        answered.set()
    if identifier is None:
        return
    try:
        _ask(api, "GET", "event/next", f"Lambda-Extension-Identifier: {identifier}", seconds=None)
    except OSError:
        # The environment ends, and the API with it.
        return


def _identifier(api: str) -> str | None:
    """
    Register and return our identifier, or ``None`` if another process of this environment has done it before us.

    :raises ValueError: the API refuses.
    """
    head, body = _ask(
        api, "POST", "register", f"Lambda-Extension-Name: {NAME}", b'{"events": []}', seconds=_ANSWER_SECONDS
    )
    status, *headers = head.decode("latin-1").split("\r\n")
    for header in headers:
        name, _, value = header.partition(":")
        if name.lower() == "lambda-extension-identifier":
            return value.strip()
    # On managed instances each worker process registers, and a slow one comes after another has begun to serve.
    known = (*_REGISTERED_BEFORE, _TOO_LATE) if on_managed_instances() else _REGISTERED_BEFORE
    if " 403 " in f"{status} " and any(reason in body for reason in known):
        return None
    raise ValueError(f"{status.partition(' ')[2]}: {body[:200].decode(errors='replace')}")


def _ask(
    api: str, method: str, path: str, header: str, body: bytes = b"", *, seconds: float | None
) -> tuple[bytes, bytes]:
    """
    Send one request and return the answer's head and body.

    By hand: ``http.client`` is not loaded yet at a cold start, and takes 5 ms.

    :param seconds: how long each step may take; ``None`` is for ever.
    """
    host, _, port = api.rpartition(":")
    head = (
        f"{method} /2020-01-01/extension/{path} HTTP/1.1\r\nHost: {api}\r\n{header}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), _ANSWER_SECONDS) as connection:
        connection.settimeout(seconds)
        connection.sendall(head.encode() + body)
        answer = b""
        while chunk := connection.recv(4096):
            answer += chunk
    head_received, _, body_received = answer.partition(b"\r\n\r\n")
    return head_received, body_received


def _failed(error: Exception) -> None:
    _log.warning(
        "warmline: registering the extension %r failed, so Lambda will end this environment without notice and its "
        "connections will linger at the cluster: %s; if it was too late, import warmline at the top of the handler's "
        "module; WARMLINE_SHUTDOWN=off does without",
        NAME,
        error,
    )
