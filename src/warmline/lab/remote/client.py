"""
Lambda as a target: boto3 in threads.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from ..aws import InvokeResult
from ..errors import RemoteRefused, Throttled
from ..load import Report, read_report

# Lambda's longest invocation, and some time for the way.
_READ_SECONDS = 910
_CONNECT_SECONDS = 10

# A thread waits for each invocation; more of them wait for a thread, which the result tells.
_THREADS = 1_000


@dataclass(frozen=True, slots=True)
class Where:
    """
    Where the functions are: by default where AWS's own configuration says. Credentials are AWS's default chain's.
    """

    region: str | None = None
    endpoint_url: str | None = None


class RemoteTarget:
    """
    Invokes deployed functions; ``with`` ends its threads.

    :raises RemoteRefused: AWS's SDK has no region, or the endpoint is no URL.
    """

    def __init__(self, where: Where) -> None:
        config = Config(
            max_pool_connections=_THREADS,
            # What fails is to be counted, not tried again.
            retries={"total_max_attempts": 1},
            read_timeout=_READ_SECONDS,
            connect_timeout=_CONNECT_SECONDS,
            tcp_keepalive=True,
        )
        try:
            self._client = boto3.Session(region_name=where.region).client(
                "lambda", endpoint_url=where.endpoint_url, config=config
            )
        except (BotoCoreError, ValueError) as error:
            raise RemoteRefused(f"AWS's SDK can't be used: {error}") from None
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="invoke")

    def __enter__(self) -> RemoteTarget:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def check(self, name: str) -> None:
        """
        Ask whether this function may be invoked, without doing it.

        :raises RemoteRefused: it may not, or there is none.
        """
        try:
            self._client.invoke(FunctionName=name, InvocationType="DryRun")
        except (BotoCoreError, ClientError) as error:
            raise RemoteRefused(f"{name} can't be invoked: {error}") from None

    async def invoke(self, name: str, payload: bytes) -> InvokeResult:
        """
        Invoke a function, by its name or ARN, and wait.

        ``latency_ms`` is what the SDK's call took; the rest is from Lambda's report, and NaN or ``None`` without one.

        :raises Throttled: Lambda answers with status 429.
        :raises RemoteRefused: it refuses the call for a reason that the next one would meet too.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._invoke, name, payload)

    def _invoke(self, name: str, payload: bytes) -> InvokeResult:
        started = time.perf_counter()
        try:
            answer = self._client.invoke(FunctionName=name, Payload=payload, LogType="Tail")
            body = answer["Payload"].read()
        except ClientError as error:
            return _refused(name, error, (time.perf_counter() - started) * 1000)
        except HTTPClientError as error:
            return _failed(type(error).__name__, str(error), (time.perf_counter() - started) * 1000)
        except BotoCoreError as error:
            raise RemoteRefused(f"{name} can't be invoked: {error}") from None
        latency_ms = (time.perf_counter() - started) * 1000
        log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
        report = read_report(log) or Report()
        return InvokeResult(
            request_id=answer["ResponseMetadata"].get("RequestId", ""),
            payload=body,
            function_error=answer.get("FunctionError"),
            executed_version=answer.get("ExecutedVersion", ""),
            latency_ms=latency_ms,
            duration_ms=report.duration_ms,
            init_ms=report.init_ms,
            # Nobody tells which it was.
            environment="",
            log_tail=log,
        )


def _refused(name: str, error: ClientError, milliseconds: float) -> InvokeResult:
    answer: dict[str, Any] = error.response
    code, message = answer["Error"].get("Code", ""), answer["Error"].get("Message", "")
    status = answer["ResponseMetadata"].get("HTTPStatusCode", 0)
    if status == 429:
        raise Throttled(f"{name} is throttled: {message}", answer.get("Reason", ""))
    if status < 500:
        raise RemoteRefused(f"{name} can't be invoked: {error}")
    return _failed(code, message, milliseconds)


def _failed(kind: str, message: str, milliseconds: float) -> InvokeResult:
    """
    A failure on the way, told like one of the function's own.
    """
    payload = json.dumps({"errorType": kind, "errorMessage": message}).encode()
    return InvokeResult("", payload, "Unhandled", "", milliseconds, math.nan, None, "", "")
