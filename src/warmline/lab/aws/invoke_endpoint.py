"""
AWS's own Invoke path over HTTP, so that boto3 and the AWS CLI work with ``--endpoint-url``.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import uuid
from typing import Protocol

from aiohttp import web

from ..errors import Throttled, UnknownFunction
from .function import ACCOUNT, MAX_PAYLOAD_BYTES, REGION, InvokeResult
from .log import TAIL_BYTES
from .versions import Version

PATH = "/2015-03-31/functions/{name}/invocations"


# For invocations under way when it ends; to aiohttp 0 would be no limit.
_CLOSE_SECONDS = 0.5


class Invoked(Protocol):
    """
    What an endpoint stands in front of: a service, or what does something more with each invocation.
    """

    def version(self, name: str) -> Version: ...

    async def invoke(self, name: str, payload: bytes, *, client_context: str | None) -> InvokeResult: ...


class InvokeEndpoint:
    """
    An HTTP server in front of a service; ``async with`` starts it, on loopback only.

    :param port: 0 takes a free one.
    """

    def __init__(self, service: Invoked, port: int = 0) -> None:
        self._service = service
        self._port = port
        self._events: set[asyncio.Task[InvokeResult]] = set()

    async def __aenter__(self) -> InvokeEndpoint:
        # Room for the parts of a request beside its payload; a payload over the limit is answered as AWS does.
        application = web.Application(client_max_size=4 * MAX_PAYLOAD_BYTES)
        application.router.add_post(PATH, self._invoke)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_CLOSE_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for event in self._events:
            event.cancel()
        await asyncio.gather(*self._events, return_exceptions=True)
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        """
        What ``--endpoint-url`` takes.
        """
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def _invoke(self, request: web.Request) -> web.Response:
        try:
            name = _qualified(request.match_info["name"], request.query.get("Qualifier"))
        except ValueError as error:
            return _error(400, "InvalidParameterValueException", {"message": str(error)})
        payload = await request.read() or b"{}"
        refused = _refused(payload)
        if refused is not None:
            return refused
        try:
            context = _client_context(request.headers.get("X-Amz-Client-Context"))
        except ValueError as error:
            text = f"Could not read the client context: {error}"
            return _error(400, "InvalidRequestContentException", {"message": text})
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        try:
            self._service.version(name)
            if kind == "DryRun":
                return web.Response(status=204)
            call = self._service.invoke(name, payload, client_context=context)
            if kind == "Event":
                event = asyncio.create_task(call)
                self._events.add(event)
                event.add_done_callback(self._events.discard)
                return web.Response(status=202, headers={"x-amzn-RequestId": str(uuid.uuid4())})
            result = await call
        except UnknownFunction:
            arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
            return _error(404, "ResourceNotFoundException", {"Message": f"Function not found: {arn}"})
        except Throttled as error:
            # The message is the same for every reason.
            return _error(429, "TooManyRequestsException", {"Reason": error.reason, "message": "Rate Exceeded."})
        if result.restore_failed:
            return _not_restored(result)
        log = None
        if request.headers.get("X-Amz-Log-Type") == "Tail":
            log = _log(result, self._service.version(name).spec.memory_mb)
        return _answer(result, log)


def _qualified(name: str, qualifier: str | None) -> str:
    """
    Bring a name, an ARN or the end of one, each perhaps with a qualifier, to ``name`` or ``name:qualifier``.

    :raises ValueError: the name has a qualifier, and another one is asked for.
    """
    name = name.removeprefix(f"arn:aws:lambda:{REGION}:").removeprefix(f"{ACCOUNT}:").removeprefix("function:")
    function, _, own = name.partition(":")
    if own and qualifier and own != qualifier:
        raise ValueError("The derived qualifier from the function name does not match the specified qualifier.")
    qualifier = own or qualifier
    return f"{function}:{qualifier}" if qualifier else function


def _refused(payload: bytes) -> web.Response | None:
    if len(payload) > MAX_PAYLOAD_BYTES:
        text = f"Request must be smaller than {MAX_PAYLOAD_BYTES} bytes for the InvokeFunction operation"
        return _error(413, "RequestTooLargeException", {"message": text})
    try:
        json.loads(payload)
    except ValueError as error:
        text = f"Could not parse request body into json: {error}"
        return _error(400, "InvalidRequestContentException", {"message": text})
    return None


def _client_context(encoded: str | None) -> str | None:
    """
    Decode the JSON of the client context, and write it on one line: it goes on in a header.

    :raises ValueError: it is no JSON in base64.
    """
    if not encoded:
        return None
    return json.dumps(json.loads(base64.b64decode(encoded, validate=True)))


def _not_restored(result: InvokeResult) -> web.Response:
    """
    Refuse as Lambda does when a snapshot can't be restored: in time, or since a hook of the function has failed.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """
    # What a runtime has posted may be anything.
    if result.payload.startswith(b'{"errorType": "Sandbox.Timedout"'):
        text = "Lambda couldn't restore the snapshot within the timeout limit."
        return _error(408, "SnapStartTimeoutException", {"Message": text})
    text = (
        "The afterRestore() runtime hook encountered an error. For more information, check the Amazon CloudWatch logs."
    )
    return _error(400, "SnapStartException", {"Message": text})


def _log(result: InvokeResult, memory_mb: int) -> bytes:
    """
    Frame what the function has printed as Lambda does, as far as the lab knows what Lambda reports.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
    """
    parts = [
        f"REPORT RequestId: {result.request_id}",
        f"Duration: {result.duration_ms:.2f} ms",
        f"Billed Duration: {math.ceil(result.duration_ms + (result.init_ms or 0.0))} ms",
        f"Memory Size: {memory_mb} MB",
    ]
    if result.init_ms is not None:
        parts.append(f"Init Duration: {result.init_ms:.2f} ms")
    start = f"START RequestId: {result.request_id} Version: {result.executed_version}\n"
    end = "\t".join((f"END RequestId: {result.request_id}\n{parts[0]}", *parts[1:])) + "\t\n"
    return (start + result.log_tail + end).encode()[-TAIL_BYTES:]


def _answer(result: InvokeResult, log: bytes | None) -> web.Response:
    headers = {"X-Amz-Executed-Version": result.executed_version, "x-amzn-RequestId": result.request_id}
    if result.function_error:
        headers["X-Amz-Function-Error"] = result.function_error
    if log is not None:
        headers["X-Amz-Log-Result"] = base64.b64encode(log).decode()
    return web.Response(body=result.payload, headers=headers, content_type="application/json")


def _error(status: int, kind: str, body: dict[str, str]) -> web.Response:
    return web.json_response({"Type": "User", **body}, status=status, headers={"x-amzn-ErrorType": kind})
