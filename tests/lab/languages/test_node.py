from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from warmline.lab.aws import FunctionSpec
from warmline.lab.cluster import Cluster
from warmline.lab.node import Node

from .fleet import ENVIRONMENTS, POLLING, ROUNDS, fleet_of, run_fleet

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "node"


# The first time AWS's client is compiled.
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_node_holds_a_monitor_on_each_node_and_gives_all_back_at_shutdown(
    node: Node, replica_set: Cluster, tmp_path: Path
) -> None:
    code = tmp_path / "code"
    shutil.copytree(EXAMPLE, code)
    (code / "node_modules").symlink_to(node.packages)
    function = FunctionSpec(
        "node-orders",
        code,
        "index.handler",
        environment={"MONGODB_URI": f"{replica_set.uri}&appName=node-orders"},
        timeout_seconds=30,
        runtime="nodejs22.x",
        command=node.command("index.handler"),
    )

    seen = run_fleet(replica_set, function)

    assert seen.answers == [{"_id": number, "total": number * 10} for number in range(ENVIRONMENTS * ROUNDS)]
    assert len({result.environment for result in seen.results}) == ENVIRONMENTS
    assert seen.frozen == seen.opened == fleet_of(POLLING)
    # It has closed its client itself; its process ends after that, or with SIGKILL.
    assert all(log.endswith("connections are closed\n") for log in seen.logs), seen.logs
    assert len(seen.logs) == ENVIRONMENTS
    assert set(seen.left.values()) == {0}
