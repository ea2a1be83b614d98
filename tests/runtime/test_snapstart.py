from __future__ import annotations

import logging
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient
from pymongo.errors import ServerSelectionTimeoutError

from warmline import connect, connect_async
from warmline.lab.cluster import Cluster
from warmline.runtime import loop, private, snapstart, warmup
from warmline.runtime.aws import container
from warmline.runtime.aws.credentials import Credentials

NOBODY = "mongodb://127.0.0.1:1/?directConnection=true"


@pytest.fixture
def asking(single: Cluster) -> Iterator[MongoClient[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](single.uri) as client:
        yield client


@pytest.fixture(autouse=True)
def _no_snapshot_yet(on_lambda: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapstart, "_snapshot", snapstart._Snapshot())


def connections(asking: MongoClient[dict[str, Any]], app: str) -> set[int]:
    operations = asking.admin.aggregate([{"$currentOp": {"idleConnections": True, "allUsers": True}}])
    return {operation["connectionId"] for operation in operations if operation.get("appName") == app}


def wait_until_none(asking: MongoClient[dict[str, Any]], app: str) -> None:
    until = time.monotonic() + 5
    while connections(asking, app):
        assert time.monotonic() < until, "connections are still open"
        time.sleep(0.02)


def test_no_connection_goes_into_the_snapshot_and_after_the_restore_one_is_open_again(
    single: Cluster, asking: MongoClient[dict[str, Any]]
) -> None:
    client = connect(single.uri, appName="restored")
    orders = client["shop"]["orders"]
    assert connections(asking, "restored")

    snapstart.before_snapshot()
    wait_until_none(asking, "restored")

    snapstart.after_restore()
    assert connections(asking, "restored")
    assert orders.find_one({"_id": "nothing"}) is None
    assert connect(single.uri, appName="restored") is client


def test_a_client_that_a_hook_of_the_function_s_own_has_used_meanwhile_starts_over_again(
    single: Cluster, asking: MongoClient[dict[str, Any]]
) -> None:
    client = connect(single.uri, appName="used-between")
    snapstart.before_snapshot()
    client.admin.command("ping")
    in_the_snapshot = connections(asking, "used-between")

    snapstart.after_restore()

    assert in_the_snapshot
    assert not in_the_snapshot & connections(asking, "used-between")


def test_an_asynchronous_client_is_restored_too(single: Cluster, asking: MongoClient[dict[str, Any]]) -> None:
    client = connect_async(single.uri, appName="restored-async")
    assert connections(asking, "restored-async")

    snapstart.before_snapshot()
    wait_until_none(asking, "restored-async")

    snapstart.after_restore()
    assert connections(asking, "restored-async")
    assert loop.run(client["shop"]["orders"].find_one({"_id": "nothing"})) is None


def test_what_was_not_connected_is_not_connected_by_a_restore(
    single: Cluster, asking: MongoClient[dict[str, Any]]
) -> None:
    connect(single.uri, appName="not-yet", connect=False)
    closed = connect(single.uri, appName="closed")
    closed.close()

    snapstart.before_snapshot()
    snapstart.after_restore()

    assert private.is_closed(closed)
    assert not connections(asking, "not-yet")
    assert not connections(asking, "closed")


def test_a_restored_environment_draws_its_own_numbers_and_makes_its_own_ids() -> None:
    random.seed(1)
    copied = [random.random() for _ in range(5)]
    random.seed(1)
    machine = ObjectId().binary[4:9]

    snapstart.after_restore()

    assert [random.random() for _ in range(5)] != copied
    assert ObjectId().binary[4:9] != machine


def test_a_cluster_that_is_not_there_after_the_restore_takes_no_longer_than_in_init(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(warmup, "INIT_CONNECT_SECONDS", 0.5)
    first, second = (
        connect(NOBODY, appName=name, connect=False, serverSelectionTimeoutMS=300) for name in ("first", "second")
    )
    for client in (first, second):
        # As if they had been connected when the snapshot was taken.
        client._get_topology()
    snapstart.before_snapshot()
    began = time.monotonic()

    with caplog.at_level(logging.ERROR, "warmline"):
        snapstart.after_restore()

    assert time.monotonic() - began < 5
    (line,) = caplog.messages
    assert "could not connect after the restore" in line
    assert "Next step: check host and port" in line
    # The other one is not tried any more, but before the next handler.
    assert second in warmup._unconnected
    with pytest.raises(ServerSelectionTimeoutError):
        first.admin.command("ping")


def test_a_pymongo_that_has_lost_a_private_name_is_told_of_and_goes_on(
    single: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(single.uri, appName="lost")

    def lost(_client: Any) -> None:
        raise AttributeError("_init_background")

    monkeypatch.setattr(private, "start_over", lost)
    with caplog.at_level(logging.WARNING, "warmline"):
        snapstart.before_snapshot()
        snapstart.after_restore()

    assert caplog.messages == [
        "warmline: this PyMongo can't leave its connections out of a SnapStart snapshot: _init_background"
    ] * len(caplog.messages)
    assert caplog.messages
    assert client.admin.command("ping")["ok"] == 1


# A function's module, and how many hooks there are then.
MODULE = """
import sys
{before}
import warmline
client = warmline.connect("mongodb://127.0.0.1:1/", connect=False)
warmline.connect("mongodb://127.0.0.1:2/", connect=False)
import snapshot_restore_py as hooks
print("warmline.runtime.snapstart" in sys.modules, len(hooks.get_before_snapshot()), len(hooks.get_after_restore()))
"""


def run_module(initialization: str, before: str = "") -> tuple[str, str]:
    environ = {"AWS_LAMBDA_INITIALIZATION_TYPE": initialization, "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}
    command = [sys.executable, "-c", MODULE.format(before=before)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    return done.stdout.strip(), done.stderr


@pytest.mark.parametrize(
    ("initialization", "expected"), [("snap-start", "True 1 1"), ("on-demand", "False 0 0"), ("", "False 0 0")]
)
def test_only_under_snapstart_are_there_hooks_and_once_for_all_clients(initialization: str, expected: str) -> None:
    assert run_module(initialization)[0] == expected


def test_a_first_client_after_the_restore_needs_no_hooks_and_renews_the_randomness() -> None:
    before = """
import os, random
os.environ["_X_AMZN_TRACE_ID"] = "Root=1-2"
random.seed(1)
"""
    program = MODULE.format(before=before) + "print(random.random())"
    environ = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start", "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    hooks, drawn = done.stdout.split("\n")[:2]
    assert hooks == "True 0 0"
    assert float(drawn) != random.Random(1).random()


def test_a_runtime_without_hooks_is_told_of_and_goes_on() -> None:
    output, errors = run_module("snap-start", 'sys.modules["snapshot_restore_py"] = None')
    # What fails in the end is this program's own import.
    assert output == ""
    assert errors.startswith("warmline: this runtime has no SnapStart hooks")
    assert "ModuleNotFoundError: import of snapshot_restore_py" in errors


def test_no_credentials_go_into_the_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = Credentials("ASIAEXAMPLE", "s3cr3t", "t0k3n", time.time() + 3600)
    monkeypatch.setattr("warmline.runtime.aws.endpoint.fetch", lambda: fetched)
    container.CONTAINER.fetch()
    assert container.CONTAINER.held() is fetched
    snapstart.before_snapshot()
    assert container.CONTAINER.held() is None
