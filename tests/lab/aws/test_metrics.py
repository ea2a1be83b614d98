"""
The runtime's metrics, as a function's log has them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from warmline.lab.aws import LambdaService
from warmline.lab.cluster import Cluster

if TYPE_CHECKING:
    from .conftest import Run, Spec

HANDLER = """
    from warmline import connect, handler

    orders = connect()["shop"]["orders"]

    @handler
    def lambda_handler(event, context):
        print("finding", event)
        if event == "fail":
            raise ValueError(event)
        return str(orders.find_one({}))
"""


def metrics(log: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line for line in lines if "_aws" in line]


def test_each_invocations_metrics_are_a_line_of_the_log(run: Run, spec: Spec, single: Cluster) -> None:
    async def scenario(service: LambdaService) -> None:
        environment = {"MONGODB_URI": single.uri, "WARMLINE_METRICS": "emf"}
        service.deploy(spec(HANDLER, environment=environment))
        results = [await service.invoke("app", event) for event in (b'"one"', b'"two"', b'"fail"')]
        assert [result.function_error for result in results] == [None, None, "Unhandled"]
        (first,), (second,), (third,) = (metrics(result.log_tail) for result in results)
        assert first["FunctionName"] == second["FunctionName"] == "app"
        assert [line["RequestId"] for line in (first, second, third)] == [result.request_id for result in results]
        # Made during Init, which is the first invocation's.
        assert (first["ConnectionsCreated"], first["ConnectionsOpen"], first["Checkouts"]) == (1, 1, 2)
        assert first["ConnectTime"] > first["ConnectAuthenticationTime"] > 0
        assert "ConnectionsCreated" not in second
        assert (second["ConnectionsOpen"], second["ConnectionsInUse"], second["Checkouts"]) == (1, 0, 1)
        # One that fails has used its connections too.
        assert third["ConnectionsOpen"] == 1
        assert "Checkouts" not in third

    run(scenario)
