"""
What people combine warmline with, each as an example in a real Lambda environment on a real replica set.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from warmline.lab.aws import FunctionSpec, LambdaService
from warmline.lab.cluster import Cluster
from warmline.lab.workspace import Workspace

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

ROUNDS = 3


@dataclass(frozen=True)
class Outcome:
    """
    What came of some invocations of one environment: the answers, the connections at the end, and the log.
    """

    answers: list[Any]
    connections: int
    log: str


def run(
    cluster: Cluster, name: str, events: list[dict[str, Any]], environment: dict[str, str] | None = None
) -> Outcome:
    async def invoke() -> Outcome:
        with Workspace() as workspace:
            async with LambdaService(workspace) as service:
                variables = {"MONGODB_URI": cluster.uri, **(environment or {})}
                service.deploy(FunctionSpec(name, EXAMPLES / name, environment=variables, timeout_seconds=30))
                answers = []
                for event in events:
                    result = await service.invoke(name, json.dumps(event).encode())
                    await service.settled()
                    assert result.function_error is None, result.payload.decode()
                    answers.append(json.loads(result.payload))
                connections = await asyncio.to_thread(open_connections, cluster, f"{name}:$LATEST")
                (only,) = service.function(name).environments
                return Outcome(answers, connections, only.log.read_text())

    return asyncio.run(invoke())


def open_connections(cluster: Cluster, app: str) -> int:
    """
    The connections of this name on the primary.
    """
    with MongoClient[dict[str, Any]](cluster.uri) as client:
        operations = client.admin.aggregate([{"$currentOp": {"idleConnections": True, "allUsers": True}}])
        return [operation.get("appName") for operation in operations].count(app)


@pytest.mark.parametrize("name", ["beanie", "mongoengine", "powertools", "opentelemetry", "xray"])
def test_it_works_in_every_invocation_on_the_environments_one_client(replica_set: Cluster, name: str) -> None:
    outcome = run(replica_set, name, [{"number": 1}] * ROUNDS)
    assert outcome.answers == [1, 2, 3]
    assert outcome.connections == 2
    assert "Traceback" not in outcome.log


def test_fastapi_behind_mangum_keeps_one_client_and_one_loop(replica_set: Cluster) -> None:
    request = {
        "version": "2.0",
        "rawPath": "/orders/7",
        "rawQueryString": "",
        "headers": {"host": "example.com"},
        "requestContext": {"http": {"method": "POST", "path": "/orders/7", "sourceIp": "192.0.2.1"}},
        "isBase64Encoded": False,
    }
    outcome = run(replica_set, "fastapi", [request] * ROUNDS)
    assert [json.loads(answer["body"])["found"] for answer in outcome.answers] == [1, 2, 3]
    assert outcome.connections == 2


def test_powertools_logs_and_measures_within_our_handler(replica_set: Cluster) -> None:
    log = run(replica_set, "powertools", [{"number": 2}]).log
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [line["found"] for line in lines if line.get("message") == "counted"] == [1]
    assert [line["Calls"] for line in lines if "_aws" in line] == [[1.0]]


def test_opentelemetry_gets_a_span_for_each_command_and_none_of_ours_in_an_invocation(replica_set: Cluster) -> None:
    log = run(replica_set, "opentelemetry", [{"number": 3}] * 2).log
    spans = [line.removeprefix("span ") for line in log.splitlines() if line.startswith("span ")]
    assert spans == ["shop.insert", "shop.aggregate"] * 2
