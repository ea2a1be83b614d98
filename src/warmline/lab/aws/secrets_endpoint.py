"""
The one call of Secrets Manager that functions read their connection string with.

Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from aiohttp import web

from .function import ACCOUNT, REGION

_TARGET = "secretsmanager.GetSecretValue"


class SecretsEndpoint:
    """
    Answers ``GetSecretValue`` for the secrets that it is given; ``async with`` serves it on loopback.

    Signatures are not verified. Any thread may put a secret there or replace it.
    """

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    async def __aenter__(self) -> SecretsEndpoint:
        application = web.Application()
        application.router.add_post("/", self._serve)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def put(self, name: str, value: str) -> None:
        """
        Make this the secret's value.
        """
        self._values[name] = value

    def environment(self) -> Mapping[str, str]:
        """
        The variables that send AWS's SDKs here.
        """
        host, port = self._runner.addresses[0][:2]
        return {"AWS_ENDPOINT_URL_SECRETS_MANAGER": f"http://{host}:{port}"}

    async def _serve(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Amz-Target") != _TARGET:
            return _answer({"__type": "UnknownOperationException"}, status=400)
        name = json.loads(await request.read())["SecretId"]
        if name not in self._values:
            text = "Secrets Manager can't find the specified secret."
            return _answer({"__type": "ResourceNotFoundException", "Message": text}, status=400)
        arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf"
        return _answer({"ARN": arn, "Name": name, "SecretString": self._values[name]})


def _answer(document: Mapping[str, str], *, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(document), status=status, content_type="application/x-amz-json-1.1")
