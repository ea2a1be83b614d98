"""
The HTTP endpoint that has a container's credentials, as ECS and Lambda with SnapStart offer it.

There a function finds no keys in its environment but this endpoint's address, and a token to show it.
Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

from __future__ import annotations

import hmac
import secrets

from aiohttp import web

from .identities import Credentials, Identities

PATH = "/credentials"


class CredentialsEndpoint:
    """
    Starts a session of the role for every request; ``async with`` serves it on loopback, in the running event loop.

    `requests` counts what was asked for, whatever the answer was; `given` are the credentials that were the answer.
    """

    def __init__(
        self, identities: Identities, role_name: str, session_name: str = "lab", lifetime_seconds: float = 3600
    ) -> None:
        self._identities = identities
        self._role_name = role_name
        self._session_name = session_name
        self._lifetime_seconds = lifetime_seconds
        self._token = secrets.token_urlsafe(32)
        self._failure: int | None = None
        self.requests = 0
        self.given: list[Credentials] = []

    async def __aenter__(self) -> CredentialsEndpoint:
        application = web.Application()
        application.router.add_get(PATH, self._serve, allow_head=False)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        """
        Where the credentials are.
        """
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}{PATH}"

    def environment(self) -> dict[str, str]:
        """
        Return the variables that send a child process here for its credentials.
        """
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": self._token}

    def fail(self, status: int = 500) -> None:
        """
        Answer every request with this HTTP status, until `recover`.
        """
        self._failure = status

    def recover(self) -> None:
        """
        Answer with credentials again.
        """
        self._failure = None

    async def _serve(self, request: web.Request) -> web.Response:
        self.requests += 1
        shown = request.headers.get("Authorization")
        if shown is None:
            return web.json_response({"message": "the Authorization header is missing"}, status=401)
        # aiohttp keeps bytes that are no UTF-8 as surrogates.
        if not hmac.compare_digest(shown.encode(errors="surrogateescape"), self._token.encode()):
            return web.json_response({"message": "the Authorization header has another token"}, status=403)
        if self._failure is not None:
            return web.json_response({"message": "no credentials at the moment"}, status=self._failure)
        credentials = self._identities.assume_role(self._role_name, self._session_name, self._lifetime_seconds)
        self.given.append(credentials)
        return web.json_response(
            {
                "AccessKeyId": credentials.access_key_id,
                "SecretAccessKey": credentials.secret_access_key,
                "Token": credentials.session_token,
                "Expiration": f"{credentials.expires_at:%Y-%m-%dT%H:%M:%SZ}",
            }
        )
