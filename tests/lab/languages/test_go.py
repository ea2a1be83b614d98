from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from warmline.lab.aws import FunctionSpec
from warmline.lab.cluster import Cluster

from .fleet import ENVIRONMENTS, POLLING, ROUNDS, fleet_of, run_fleet

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "go"
BUILT = ROOT / "build" / "go"


@pytest.fixture(scope="module")
def bootstrap() -> Path:
    """
    The example, built as for Lambda. Go's own cache makes a second build quick.
    """
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        pytest.skip("there is no go on PATH: install Go")
    BUILT.mkdir(parents=True, exist_ok=True)
    command = [go, "build", "-tags", "lambda.norpc", "-o", str(BUILT / "bootstrap"), "."]
    built = subprocess.run(
        command,
        cwd=EXAMPLE,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"},
    )
    if "requires go >=" in built.stderr:
        pytest.skip(f"this Go is too old: {built.stderr.strip().splitlines()[-1]}")
    assert built.returncode == 0, built.stderr
    return BUILT / "bootstrap"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_go_holds_a_monitor_on_each_node_and_gives_all_back_at_shutdown(bootstrap: Path, replica_set: Cluster) -> None:
    function = FunctionSpec(
        "go-orders",
        bootstrap.parent,
        "bootstrap",
        environment={"MONGODB_URI": f"{replica_set.uri}&appName=go-orders"},
        timeout_seconds=30,
        runtime="provided.al2023",
        command=("./bootstrap",),
    )

    seen = run_fleet(replica_set, function)

    assert seen.answers == [{"_id": number, "total": number * 10} for number in range(ENVIRONMENTS * ROUNDS)]
    assert len({result.environment for result in seen.results}) == ENVIRONMENTS
    assert seen.frozen == seen.opened == fleet_of(POLLING)
    # It has closed its client itself, and was not killed.
    assert [(ending.exit_code, ending.killed_after_ms) for ending in seen.endings] == [(0, None)] * ENVIRONMENTS
    assert set(seen.left.values()) == {0}
