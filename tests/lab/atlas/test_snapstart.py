from __future__ import annotations

import asyncio
from pathlib import Path

from warmline.lab.atlas import AtlasCluster
from warmline.lab.aws import FunctionSpec, LambdaService
from warmline.lab.iam.credentials_endpoint import CredentialsEndpoint
from warmline.lab.workspace import Workspace

HANDLER = """
from warmline import connect, handler

orders = connect()["shop"]["orders"]

@handler
def lambda_handler(event, context):
    return orders.count_documents({"_id": "nothing"})
"""

# The role that may log in is `role/orders`.
ROLE_NAME = "orders"
LIFETIME_SECONDS = 4.0


def test_a_restored_environment_logs_in_though_the_credentials_in_the_snapshot_have_expired(
    iam: AtlasCluster, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(HANDLER)

    async def scenario(workspace: Workspace) -> None:
        endpoint = CredentialsEndpoint(iam.identities, ROLE_NAME, lifetime_seconds=LIFETIME_SECONDS)
        async with endpoint, LambdaService(workspace) as service:
            variables = iam.environ({"MONGODB_URI": iam.uri(), **endpoint.environment()})
            service.deploy(
                FunctionSpec(
                    ROLE_NAME, tmp_path, environment=variables, timeout_seconds=30, initialization="snap-start"
                )
            )
            await service.prepare(ROLE_NAME, 1)
            asked_in_init = endpoint.requests
            await asyncio.sleep(LIFETIME_SECONDS)

            result = await service.invoke(ROLE_NAME)

            assert result.function_error is None, result.payload
            assert result.payload == b"0"
            assert endpoint.requests > asked_in_init > 0
            # It was connected by the hook; the log would tell of a failure.
            assert "could not connect" not in result.log_tail

    with Workspace() as workspace:
        asyncio.run(scenario(workspace))
