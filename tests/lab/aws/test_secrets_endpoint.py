from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from warmline.lab.aws.secrets_endpoint import SecretsEndpoint


def ask(scenario: Callable[[Any, SecretsEndpoint], Any]) -> Any:
    """
    Run a scenario with AWS's own client.
    """

    async def served() -> Any:
        async with SecretsEndpoint() as endpoint:
            (url,) = endpoint.environment().values()
            client = boto3.client(
                "secretsmanager",
                endpoint_url=url,
                region_name="us-east-1",
                aws_access_key_id="any",
                aws_secret_access_key="any",
            )
            try:
                return await asyncio.to_thread(scenario, client, endpoint)
            finally:
                client.close()

    return asyncio.run(served())


def test_a_secret_has_the_value_that_it_was_given_last() -> None:
    def scenario(client: Any, endpoint: SecretsEndpoint) -> list[str]:
        values = []
        for value in ("old", "new"):
            endpoint.put("orders", value)
            values.append(client.get_secret_value(SecretId="orders")["SecretString"])
        return values

    assert ask(scenario) == ["old", "new"]


def test_an_unknown_secret_is_refused_as_aws_does() -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        ask(lambda client, _: client.get_secret_value(SecretId="nothing"))


def test_other_calls_are_unknown() -> None:
    with pytest.raises(ClientError, match="UnknownOperationException"):
        ask(lambda client, _: client.list_secrets())
