from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from botocore.utils import ContainerMetadataFetcher
from pymongo_auth_aws import PyMongoAuthAwsError
from yarl import URL

from warmline.lab.iam import Caller, CredentialsEndpoint, Identities, ServerConversation

from .driver import authenticate


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 30))


async def get(url: str, authorization: str | None = None, method: str = "GET") -> tuple[int, Any]:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers) as response,
    ):
        body = await response.json() if response.content_type == "application/json" else await response.text()
        return response.status, body


def test_it_hands_out_a_new_session_to_who_shows_the_token(identities: Identities) -> None:
    async def scenario() -> None:
        async with CredentialsEndpoint(identities, "service-role/app", "orders-api", 900) as endpoint:
            variables = endpoint.environment()
            assert variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] == endpoint.url
            answers = [await get(endpoint.url, variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]) for _ in range(2)]
            assert endpoint.requests == 2

        assert [status for status, _ in answers] == [200, 200]
        keys = {body["AccessKeyId"] for _, body in answers}
        assert len(keys) == 2
        for _, body in answers:
            assert set(body) == {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}
            principal = identities.lookup(body["AccessKeyId"])
            assert principal is not None
            assert principal.caller_arn == "arn:aws:sts::123456789012:assumed-role/app/orders-api"
            assert principal.credentials.secret_access_key == body["SecretAccessKey"]
            assert principal.credentials.session_token == body["Token"]
            assert principal.credentials.expires_at is not None
            rounded = principal.credentials.expires_at - datetime.fromisoformat(body["Expiration"])
            assert timedelta(0) <= rounded < timedelta(seconds=1)

    run(scenario())


def test_who_shows_no_token_or_another_gets_nothing(identities: Identities) -> None:
    async def scenario() -> None:
        async with CredentialsEndpoint(identities, "app") as endpoint:
            token = endpoint.environment()["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
            shown = [None, "", "wrong", token[:-1], token + "x", f"Bearer {token}", "ä€"]
            answers = [await get(endpoint.url, authorization) for authorization in shown]
            assert endpoint.requests == len(shown)

        assert [status for status, _ in answers] == [401, 403, 403, 403, 403, 403, 403]
        for _, body in answers:
            assert set(body) == {"message"}
            assert token not in body["message"]

    run(scenario())


def test_a_token_that_is_no_text_is_another_token(identities: Identities) -> None:
    async def scenario() -> None:
        async with CredentialsEndpoint(identities, "app") as endpoint:
            url = URL(endpoint.url)
            reader, writer = await asyncio.open_connection(url.host, url.port)
            writer.write(b"GET %b HTTP/1.1\r\nHost: lab\r\nAuthorization: \xff\xfe\r\n\r\n" % url.raw_path.encode())
            assert await reader.readline() == b"HTTP/1.1 403 Forbidden\r\n"
            writer.close()
            await writer.wait_closed()

    run(scenario())


def test_other_paths_and_methods_have_no_credentials(identities: Identities) -> None:
    async def scenario() -> None:
        async with CredentialsEndpoint(identities, "app") as endpoint:
            token = endpoint.environment()["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
            assert (await get(endpoint.url + "/more", token))[0] == 404
            assert (await get(endpoint.url, token, method="POST"))[0] == 405
            assert (await get(endpoint.url, token, method="HEAD"))[0] == 405

    run(scenario())


def test_two_endpoints_have_addresses_and_tokens_of_their_own(identities: Identities) -> None:
    async def scenario() -> None:
        async with CredentialsEndpoint(identities, "app") as one, CredentialsEndpoint(identities, "app") as other:
            assert one.url != other.url
            assert one.url.startswith("http://127.0.0.1:")
            token = one.environment()["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
            assert (await get(other.url, token))[0] == 403

    run(scenario())


def test_it_fails_when_told_to(identities: Identities) -> None:
    async def scenario() -> None:
        async with CredentialsEndpoint(identities, "app") as endpoint:
            token = endpoint.environment()["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
            endpoint.fail()
            assert (await get(endpoint.url, token))[0] == 500
            endpoint.fail(429)
            assert (await get(endpoint.url, token))[0] == 429
            assert (await get(endpoint.url))[0] == 401
            endpoint.recover()
            assert (await get(endpoint.url, token))[0] == 200
            assert endpoint.requests == 4

    run(scenario())


def test_the_driver_authenticates_with_a_containers_credentials(
    identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with CredentialsEndpoint(identities, "app", "snapshot") as endpoint:
            for name, value in endpoint.environment().items():
                monkeypatch.setenv(name, value)
            # boto3 blocks while it asks.
            callers = [await asyncio.to_thread(authenticate, ServerConversation(identities)) for _ in range(3)]
            assert endpoint.requests == 1

        caller = Caller("arn:aws:sts::123456789012:assumed-role/app/snapshot", "arn:aws:iam::123456789012:role/app")
        assert callers == [caller] * 3

    run(scenario())


def test_the_driver_has_no_credentials_when_the_endpoint_fails(
    identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ContainerMetadataFetcher, "SLEEP_TIME", 0)

    async def scenario() -> None:
        async with CredentialsEndpoint(identities, "app") as endpoint:
            for name, value in endpoint.environment().items():
                monkeypatch.setenv(name, value)
            endpoint.fail()
            with pytest.raises(PyMongoAuthAwsError, match="credentials could not be obtained"):
                await asyncio.to_thread(authenticate, ServerConversation(identities))
            assert endpoint.requests == ContainerMetadataFetcher.RETRY_ATTEMPTS

            endpoint.recover()
            await asyncio.to_thread(authenticate, ServerConversation(identities))

    run(scenario())


def test_no_repr_shows_the_token(identities: Identities) -> None:
    async def scenario() -> None:
        async with CredentialsEndpoint(identities, "app") as endpoint:
            assert endpoint.environment()["AWS_CONTAINER_AUTHORIZATION_TOKEN"] not in repr(endpoint)

    run(scenario())
