from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pymongo
import pytest
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

import warmline
from warmline import connect
from warmline.lab.cluster import Cluster, Mongod, find_mongod
from warmline.lab.cluster.replica_set import free_ports
from warmline.lab.workspace import Workspace
from warmline.runtime import private
from warmline.runtime.registry import CLIENTS


def app_names(cluster: Cluster) -> list[str]:
    """
    The names on the connections of the server, asked over a connection of the test's own.
    """
    with pymongo.MongoClient[dict[str, Any]](cluster.uri, appName="asking") as asking:
        operations = asking.admin.aggregate([{"$currentOp": {"idleConnections": True, "allUsers": True}}])
        return [operation.get("appName", "") for operation in operations]


def test_it_gives_a_plain_mongo_client(single: Cluster) -> None:
    client = connect(single.uri)
    assert type(client) is pymongo.MongoClient
    assert client["shop"]["orders"].count_documents({}) == 0


def test_the_uri_comes_from_the_environment(single: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URI", single.uri)
    assert connect().admin.command("ping")["ok"] == 1
    assert connect() is connect(single.uri)


def test_the_same_arguments_give_the_same_client(single: Cluster) -> None:
    listener = pymongo.monitoring.CommandListener()
    assert connect(single.uri, maxPoolSize=3) is connect(single.uri, maxpoolsize=3)
    assert connect(single.uri, event_listeners=[listener]) is connect(single.uri, event_listeners=[listener])
    assert connect(single.uri, maxPoolSize=3) is not connect(single.uri)


def test_threads_that_ask_at_once_get_one_client(single: Cluster) -> None:
    together = threading.Barrier(16)

    def ask(_: int) -> int:
        together.wait()
        return id(connect(single.uri))

    with ThreadPoolExecutor(16) as threads:
        assert len(set(threads.map(ask, range(16)))) == 1


def test_outside_lambda_nothing_is_opened_before_the_first_operation(single: Cluster) -> None:
    client = connect(single.uri, appName="lazy-test")
    assert "lazy-test" not in app_names(single)
    client.admin.command("ping")
    assert "lazy-test" in app_names(single)


@pytest.mark.usefixtures("on_lambda")
def test_on_lambda_the_connection_is_open_when_connect_returns(single: Cluster) -> None:
    connect(single.uri)
    # One for operations and one monitor.
    assert app_names(single).count("orders:7") == 2


@pytest.mark.usefixtures("on_lambda")
def test_it_does_not_connect_during_init_if_told_not_to(single: Cluster) -> None:
    connect(single.uri, connect=False)
    assert "orders:7" not in app_names(single)


@pytest.mark.usefixtures("on_lambda")
def test_in_an_invocation_the_first_operation_connects(single: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-0-0")
    connect(single.uri)
    assert "orders:7" not in app_names(single)


@pytest.mark.usefixtures("on_lambda")
def test_a_failure_during_init_leaves_one_line_and_the_first_operation_raises_it_with_the_next_step(
    caplog: pytest.LogCaptureFixture,
) -> None:
    uri = "mongodb://app:s3cr3t@127.0.0.1:1/"
    with caplog.at_level(logging.WARNING, "warmline"):
        client = connect(uri, serverSelectionTimeoutMS=300)
    (line,) = caplog.messages
    assert "could not connect during Init" in line
    assert "Connection refused" in line
    assert "Next step: check host and port" in line
    assert "\n" not in line
    assert "s3cr3t" not in line
    for _ in range(2):
        with pytest.raises(ServerSelectionTimeoutError) as caught:
            client["shop"]["orders"].find_one({})
        assert str(caught.value).count("Next step: check host and port") == 1


@pytest.mark.usefixtures("on_lambda")
def test_wrong_credentials_are_explained_at_the_first_operation(
    single: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(single.uri, username="nobody", password="s3cr3t")
    with pytest.raises(OperationFailure, match="Next step: check that this database user exists"):
        client.admin.command("ping")
    (line,) = caplog.messages
    assert "Authentication failed" in line
    assert "s3cr3t" not in line
    with pytest.raises(OperationFailure, match="Next step: check that this database user exists") as caught:
        client["shop"]["orders"].insert_one({})
    assert caught.value.code == 18


@pytest.mark.usefixtures("on_lambda")
def test_a_client_that_connects_later_is_as_pymongo_made_it(caplog: pytest.LogCaptureFixture) -> None:
    (port,) = free_ports(1)
    client = connect(f"mongodb://127.0.0.1:{port}/?directConnection=true", serverSelectionTimeoutMS=300)
    assert len(caplog.messages) == 1
    assert set(private._CONNECTING) <= set(vars(client))
    with Workspace() as workspace:
        mongod = Mongod(find_mongod(), workspace, name="late", port=port, replica_set="late")
        mongod.wait_until_listening()
        assert client.admin.command("ping")["ok"] == 1
        client.close()
        mongod.stop()
    assert not {"_checkout", "_conn_from_server"} & set(vars(client))


def test_a_closed_client_is_replaced_and_the_log_says_so(single: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    first = connect(single.uri)
    first.close()
    second = connect(single.uri)
    assert second is not first
    assert second.admin.command("ping")["ok"] == 1
    assert "leave it open" in caplog.text


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_gets_a_client_of_its_own_and_leaves_its_parents_alone(single: Cluster) -> None:
    parent = connect(single.uri)
    parent.admin.command("ping")
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            child = connect(single.uri)
            gc.collect()
            answer = child.admin.command("ping")["ok"]
            os.write(write, f"{child is not parent} {answer}".encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(write)
    assert os.read(read, 100).decode() == "True 1.0"
    os.close(read)
    assert connect(single.uri) is parent
    assert parent.admin.command("ping")["ok"] == 1


def test_a_child_can_connect_though_its_parent_was_forked_while_connecting(single: Cluster) -> None:
    # The lock is held in the parent by another thread: a copy of it would never be released in the child.
    with CLIENTS.lock:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.write(write, str(warmline.connect(single.uri).admin.command("ping")["ok"]).encode())
            finally:
                os._exit(0)
    os.waitpid(pid, 0)
    os.close(write)
    assert os.read(read, 100).decode() == "1.0"
    os.close(read)


@pytest.mark.parametrize(
    ("uri", "options", "installed"),
    [
        ("mongodb://h/?authMechanism=MONGODB-AWS", {}, True),
        ("mongodb://h/?AUTHMECHANISM=MONGODB-AWS", {}, True),
        ("mongodb://h/", {"authMechanism": "MONGODB-AWS"}, True),
        ("mongodb://h/", {"authmechanism": "MONGODB-AWS"}, True),
        ("mongodb://h/?authMechanism=SCRAM-SHA-256", {"username": "a", "password": "b"}, False),
        ("mongodb://h/?authMechanism=MONGODB-AWS", {"authMechanism": "PLAIN", "username": "a", "password": "b"}, False),
        ("mongodb://h/", {}, False),
    ],
)
def test_aws_logins_are_signed_here_only_where_they_are_asked_for(
    uri: str, options: dict[str, Any], installed: bool
) -> None:
    program = (
        f"import sys, warmline; warmline.connect({uri!r}, **{options!r}); "
        "print('warmline.runtime.aws.mechanism' in sys.modules); "
        # What only a container's endpoint needs, the other half of PyMongo's, and AWS's SDK.
        "late = ('http.client', 'warmline.runtime.aws.container', 'pymongo.asynchronous.auth', 'boto3'); "
        "print([name for name in late if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == [str(installed), "[]"]
