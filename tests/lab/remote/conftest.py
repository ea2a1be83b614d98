"""
The lab's own endpoint in Lambda's place, with functions that use a real cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from warmline.lab.atlas.loop import LoopThread
from warmline.lab.aws import FunctionSpec, InvokeEndpoint, LambdaService
from warmline.lab.cluster import Cluster
from warmline.lab.workspace import Workspace


@dataclass(frozen=True)
class Deployed:
    """
    A service behind an endpoint; it runs in a loop of its own, as Lambda does elsewhere.
    """

    url: str
    deploy: Callable[..., None]


KEPT = """
from warmline import connect, handler

client = connect()

@handler
def lambda_handler(event, context):
    return client["shop"]["orders"].find_one({"_id": event.get("id")})
"""

# Without a name for its connections.
UNNAMED = """
import os
from pymongo import MongoClient

client = MongoClient(os.environ["MONGODB_URI"])

def lambda_handler(event, context):
    return client["shop"]["orders"].find_one({"_id": event.get("id")})
"""

FAILING = """
def lambda_handler(event, context):
    raise ValueError("no such order")
"""


@pytest.fixture(scope="session")
def lambda_(replica_set: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("deployed")
    with Workspace() as workspace, LoopThread() as loop:

        async def start() -> tuple[LambdaService, InvokeEndpoint]:
            service = await LambdaService(workspace).__aenter__()
            return service, await InvokeEndpoint(service).__aenter__()

        async def stop() -> None:
            await endpoint.__aexit__()
            await service.__aexit__()

        service, endpoint = loop.run(start())

        def deploy(name: str, source: str, options: str = "", **fields: Any) -> None:
            code = folder / name
            code.mkdir()
            (code / "app.py").write_text(source)
            environment = {"MONGODB_URI": f"{replica_set.uri}{options}"}

            async def inside() -> None:
                service.deploy(FunctionSpec(name, code, environment=environment, timeout_seconds=30, **fields))

            loop.run(inside())

        yield Deployed(endpoint.url, deploy)
        loop.run(stop())


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The driver's processes have these too.
    """
    for name, value in {
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
