"""
The AWS Parameters and Secrets Lambda Extension: an HTTP server beside the function that reads secrets and keeps them.

It answers during invocations; before the first one it only says that it is not ready.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-secrets-manager.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html
"""

from __future__ import annotations

import json
import os
import time
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode

from ..environment import on_lambda
from .failure import NotRead, NotThere, next_step
from .reference import Reference

# Lambda starts extensions from this folder, so where the layer is, the file is.
FILE = "/opt/extensions/AWSParametersAndSecretsLambdaExtension"

# What it does not have it asks AWS for, with no timeout of its own by default.
ANSWER_SECONDS = 2.0

_FIRST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.1

_MAX_ANSWER_BYTES = 128 * 1024

_NOT_READY = "not ready to serve traffic"


class NotReady(NotRead):
    """
    It is there, and does not answer yet.
    """


def read(reference: Reference, *, fresh: bool, patience_seconds: float, seconds: float) -> str:
    """
    Ask the extension for the value.

    :param fresh: not from its cache, as far as it knows how: ``refreshNow`` is documented for the agent that speaks
        the same protocol, https://docs.aws.amazon.com/secretsmanager/latest/userguide/secrets-manager-agent.html.
    :param patience_seconds: how long to wait until it is ready.
    :param seconds: how long an answer may take at most.
    :raises NotRead: it has none.
    """
    # The token is for the extension alone: elsewhere anybody may listen on this port.
    token = os.environ.get("AWS_SESSION_TOKEN")
    if not on_lambda() or not token:
        raise NotThere("the AWS Parameters and Secrets Lambda Extension is not there", "")
    ends = time.monotonic() + patience_seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return _ask(reference, token, fresh=fresh, seconds=min(ANSWER_SECONDS, seconds))
        except NotReady:
            if time.monotonic() + pause > ends:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _ask(reference: Reference, token: str, *, fresh: bool, seconds: float) -> str:
    port = os.environ.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "2773")
    try:
        connection = HTTPConnection("localhost", int(port), timeout=seconds)
        try:
            connection.request("GET", _path(reference, fresh), headers={"X-Aws-Parameters-Secrets-Token": token})
            response = connection.getresponse()
            status, body = response.status, response.read(_MAX_ANSWER_BYTES).decode("utf-8", "replace")
        finally:
            connection.close()
    except ConnectionRefusedError:
        if os.path.exists(FILE):  # noqa: PTH110  pathlib costs a cold start milliseconds
            raise _not_ready("nothing listens on its port yet") from None
        raise NotThere(f"the AWS Parameters and Secrets Lambda Extension is not there (port {port})", "") from None
    except (OSError, HTTPException, ValueError) as error:
        # Their texts may quote the request.
        raise _refused(f"no answer ({type(error).__name__})", reference) from None
    if status == 200:
        return _value(body, reference)
    said = " ".join(body.replace(token, "<hidden>").split())[:200]
    if _NOT_READY in said:
        raise _not_ready(said)
    raise _refused(f"{status} {said}", reference)


def _path(reference: Reference, fresh: bool) -> str:
    if reference.service == "ssm":
        return "/systemsmanager/parameters/get?" + urlencode({"name": reference.name, "withDecryption": "true"})
    query = {"secretId": reference.name}
    if reference.version_stage:
        query["versionStage"] = reference.version_stage
    if reference.version_id:
        query["versionId"] = reference.version_id
    if fresh:
        query["refreshNow"] = "true"
    return "/secretsmanager/get?" + urlencode(query)


def _value(body: str, reference: Reference) -> str:
    try:
        answer = json.loads(body)
        value = answer["Parameter"]["Value"] if reference.service == "ssm" else answer["SecretString"]
    except (ValueError, LookupError, TypeError):
        value = None
    if not isinstance(value, str):
        raise _refused("its answer holds no string", reference)
    return value


def _not_ready(said: str) -> NotReady:
    return NotReady(
        f"the AWS Parameters and Secrets Lambda Extension is not ready: {said}",
        "it answers during invocations and not in Init: call connect() in the handler, or install boto3",
    )


def _refused(said: str, reference: Reference) -> NotRead:
    return NotRead(
        f"the AWS Parameters and Secrets Lambda Extension says: {said}",
        f"{next_step(said, reference)}; its own lines in this log say more",
    )
