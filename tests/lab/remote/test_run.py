"""
The report of functions that are deployed already, against the lab's own AWS-compatible endpoint.
"""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from warmline.lab.cluster import Cluster
from warmline.lab.errors import RemoteRefused
from warmline.lab.experiments import ExperimentResult
from warmline.lab.load import parse_load
from warmline.lab.remote import processes
from warmline.lab.remote.client import Where
from warmline.lab.remote.figures import METRICS
from warmline.lab.remote.run import run_remote
from warmline.lab.remote.spec import RemoteRun, RemoteVariant, function_name

from .conftest import FAILING, KEPT, UNNAMED, Deployed


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    One process drives: each takes its time to import AWS's SDK.
    """
    monkeypatch.setattr(processes, "PROCESSES", 1)


def run(lambda_: Deployed, *names: str, loads: tuple[str, ...], uri: str | None = None) -> ExperimentResult:
    remote = RemoteRun(
        name="test",
        title="A test",
        variants=tuple(RemoteVariant(name, name, name) for name in names),
        loads=tuple(map(parse_load, loads)),
        metrics=METRICS,
        command="warmline lab run --target aws",
        payload=b'{"id": 7}',
        where=Where(endpoint_url=lambda_.url),
        cluster_uri=uri,
    )
    return asyncio.run(run_remote(remote, lambda *_: None))


def test_a_functions_connections_are_counted_by_its_name(lambda_: Deployed, replica_set: Cluster) -> None:
    lambda_.deploy("kept", KEPT)
    result = run(lambda_, "kept", loads=("burst:3", "constant:10/s for 1s at 3s"), uri=replica_set.uri)
    metrics = result.variants["kept"]
    assert (metrics["invocations"], metrics["failed_invocations"]) == (13, 0)
    assert metrics["cold_starts"] >= 3
    # By Lambda's report, not by the caller's clock.
    assert 0 < metrics["first_request_ms_p50"] < metrics["cold_ms_p50"]
    assert 0 < metrics["init_ms_p50"] < metrics["cold_ms_p50"]
    assert metrics["connections_per_environment"] == 2
    # An environment may be frozen before it has met every member.
    assert 2 * metrics["cold_starts"] <= metrics["connections_at_rest"] <= 4 * metrics["cold_starts"]
    assert metrics["peak_connections"] == 2 * metrics["cold_starts"]
    assert [(series.variant, series.node) for series in result.connections] == [
        ("kept", "primary"),
        ("kept", "secondary 1"),
        ("kept", "secondary 2"),
    ]
    assert result.connections[0].counts[-1] == 2 * metrics["cold_starts"]
    assert result.answer.startswith("kept answered all 13 invocations with ")
    assert result.versions["mongod"] == replica_set.mongod_version
    assert any("what they leave open at their end is not measured" in note for note in result.notes)


def test_environments_that_were_there_before_are_told_of(lambda_: Deployed, alone: None, replica_set: Cluster) -> None:
    lambda_.deploy("warm", KEPT)
    run(lambda_, "warm", loads=("burst:1",))
    result = run(lambda_, "warm", loads=("burst:1",), uri=replica_set.uri)
    metrics = result.variants["warm"]
    assert metrics["cold_starts"] == 0
    assert 2 <= metrics["connections_before"] <= 4
    assert math.isnan(metrics["connections_per_environment"])
    assert any("warm had environments before the load" in note for note in result.notes)


def test_connections_without_a_name_are_known_as_lambdas(lambda_: Deployed, alone: None, replica_set: Cluster) -> None:
    lambda_.deploy("plain", UNNAMED)
    result = run(lambda_, "plain", loads=("burst:2",), uri=replica_set.uri)
    metrics = result.variants["plain"]
    assert metrics["connections_per_environment"] == 2
    assert any("counted are those of Lambda functions without a name" in note for note in result.notes)


def test_variants_are_run_one_after_the_other_and_failures_are_counted(lambda_: Deployed, alone: None) -> None:
    lambda_.deploy("fails", FAILING, reserved_concurrency=1)
    lambda_.deploy("works", "def lambda_handler(event, context): ...\n")
    result = run(lambda_, "fails", "works", loads=("callers:3 for 1s",))
    fails, works = result.variants["fails"], result.variants["works"]
    assert fails["failed_invocations"] >= 1
    assert fails["throttled_invocations"] >= 1
    assert fails["failed_invocations"] + fails["throttled_invocations"] == fails["invocations"]
    assert works["failed_invocations"] == works["throttled_invocations"] == 0
    (failure,) = [metric for metric in result.metrics if metric.group]
    assert failure.label == "ValueError: no such order"
    assert (fails[failure.name], works[failure.name]) == (fails["failed_invocations"], 0)
    assert "peak_connections" not in [metric.name for metric in result.metrics]
    assert "No connections were counted: --cluster-uri names the cluster." in result.notes


def test_a_function_that_is_not_there_is_one_line_before_any_load(lambda_: Deployed) -> None:
    with pytest.raises(RemoteRefused, match=r"nowhere can't be invoked: .*Function not found: ") as caught:
        run(lambda_, "nowhere", loads=("constant:1/s for 600s",))
    assert "\n" not in str(caught.value)


def test_an_endpoint_that_does_not_answer_is_one_line() -> None:
    with pytest.raises(RemoteRefused, match="app can't be invoked: Could not connect to the endpoint URL"):
        run(Deployed("http://127.0.0.1:9", lambda: None), "app", loads=("burst:1",))


def test_without_credentials_it_is_one_line(lambda_: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(RemoteRefused, match="Unable to locate credentials"):
        run(lambda_, "app", loads=("burst:1",))


def command(folder: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    """
    Run the command, and return its JSON and all that it has printed.
    """
    line = [sys.executable, "-m", "warmline.cli", "lab", "run", "--target", "aws", "--json", "-", *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=True, cwd=folder)
    return json.loads(done.stdout), done.stdout + done.stderr


def test_the_command_does_not_show_the_clusters_connection_string(
    lambda_: Deployed, replica_set: Cluster, tmp_path: Path
) -> None:
    lambda_.deploy("asked", KEPT)
    arguments = ["--function", "asked", "--load", "burst:2", "--endpoint-url", lambda_.url]
    document, printed = command(tmp_path, *arguments, "--cluster-uri", replica_set.uri)
    assert document["variants"]["asked"]["invocations"] == 2
    assert document["experiment"] == "asked"
    assert '--cluster-uri "$WARMLINE_LAB_CLUSTER_URI"' in document["command"]
    assert replica_set.uri not in printed


@pytest.mark.slow
def test_reuse_client_runs_against_deployed_functions(lambda_: Deployed, replica_set: Cluster, tmp_path: Path) -> None:
    lambda_.deploy("one", UNNAMED, "&appName=one")
    lambda_.deploy("two", KEPT)
    arguments = ["reuse-client", "--endpoint-url", lambda_.url, "--cluster-uri", replica_set.uri]
    arguments += ["--environments", "2", "--variant", "documented=one", "--variant", "warmline=two"]
    document, _ = command(tmp_path, *arguments)
    assert list(document["variants"]) == ["documented", "warmline"]
    for metrics in document["variants"].values():
        assert metrics["invocations"] == 13 * 2
        assert metrics["errors"] == 0
        assert metrics["primary_connections_per_environment"] == 2
        assert metrics["secondary_connections_per_environment"] == 1
    assert "connections_left_after_kill" not in [metric["name"] for metric in document["metrics"]]


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("orders", "orders"),
        ("orders:live", "orders"),
        ("function:orders", "orders"),
        ("123456789012:function:orders:7", "orders"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:orders", "orders"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:orders:live", "orders"),
    ],
)
def test_a_functions_name_is_found_in_its_arn(function: str, name: str) -> None:
    assert function_name(function) == name


def test_a_clusters_password_is_not_shown() -> None:
    shown = repr(RemoteRun("a", "A", (), (), (), "", cluster_uri="mongodb://me:secret@host/"))
    assert "secret" not in shown
