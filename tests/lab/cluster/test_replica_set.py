from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from pymongo import MongoClient, WriteConcern

from warmline.lab.cluster import Cluster, ClusterSpec, MongodBinary, replica_set, start_cluster
from warmline.lab.errors import ClusterStartError, NoPrimary

if TYPE_CHECKING:
    from typing import Any

    from pymongo.database import Database

    from warmline.lab.workspace import Workspace


def test_three_members_are_one_primary_and_two_secondaries(three_members: Cluster, binary: MongodBinary) -> None:
    primary, secondaries = three_members.primary(), three_members.secondaries()

    assert {primary, *secondaries} == set(three_members.nodes)
    assert len(secondaries) == 2
    assert [node.name for node in three_members.nodes] == ["mongod-0", "mongod-1", "mongod-2"]
    assert all(node.log_path.is_file() for node in three_members.nodes)
    assert three_members.mongod_version == binary.version


def test_a_write_reaches_every_member(three_members: Cluster) -> None:
    addresses = ",".join(f"127.0.0.1:{node.port}" for node in three_members.nodes)
    assert three_members.uri == f"mongodb://{addresses}/?replicaSet=warmline"

    client: MongoClient[dict[str, Any]]
    with MongoClient(three_members.uri) as client:
        for concern in ("majority", 3):
            shop: Database[dict[str, Any]] = client.get_database(
                "shop", write_concern=WriteConcern(concern, wtimeout=10_000)
            )
            assert shop["orders"].insert_one({"paid": True}).acknowledged


def test_a_busy_machine_gets_ten_seconds_before_an_election(three_members: Cluster) -> None:
    primary = three_members.primary()

    client: MongoClient[dict[str, Any]]
    with MongoClient(primary.host, primary.port, directConnection=True) as client:
        config = client.admin.command("replSetGetConfig")["config"]
        status = client.admin.command("replSetGetStatus")

    assert config["settings"]["electionTimeoutMillis"] == 10_000
    assert status["term"] == 1


def test_nothing_of_the_set_up_stays_connected(three_members: Cluster) -> None:
    primary = three_members.primary()

    client: MongoClient[dict[str, Any]]
    with MongoClient(primary.host, primary.port, directConnection=True, appName="test") as client:
        deadline = time.monotonic() + 5
        while "warmline-lab" in {operation.get("appName") for operation in current_operations(client)}:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def current_operations(client: MongoClient[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(client.admin.aggregate([{"$currentOp": {"allUsers": True, "idleConnections": True}}]))


def test_a_single_member_is_a_replica_set_too_and_stop_leaves_only_its_log(workspace: Workspace) -> None:
    steps: list[str] = []
    started = time.monotonic()
    with start_cluster(workspace, ClusterSpec(members=1), on_step=steps.append) as cluster:
        print(f"a single member was ready in {time.monotonic() - started:.2f} s")
        [node] = cluster.nodes
        [mongod] = cluster.mongods
        assert cluster.primary() == node
        assert cluster.secondaries() == ()

    assert steps == [
        f"starting 1 x mongod {cluster.mongod_version}",
        "electing the primary",
        "waiting for a write to reach every member",
    ]
    assert not psutil.pid_exists(mongod.pid)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((node.host, node.port))
    assert list(workspace.directory.iterdir()) == [workspace.logs]
    with pytest.raises(NoPrimary, match=f"none of {node.address} is primary"):
        cluster.primary()


def test_a_port_that_was_taken_in_between_leads_to_another_try(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    free_ports = replica_set.free_ports
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        choices = iter([[taken], [taken]])
        monkeypatch.setattr(replica_set, "free_ports", lambda count: next(choices, None) or free_ports(count))

        with start_cluster(workspace, ClusterSpec(members=1), on_step=steps.append) as cluster:
            assert cluster.nodes[0].port != taken

    assert steps.count("a port was taken in the meantime, trying others") == 2


def test_ports_that_are_always_taken_end_in_the_servers_error(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setattr(replica_set, "free_ports", lambda count: [other.getsockname()[1]] * count)

        with pytest.raises(ClusterStartError, match="Address already in use"):
            start_cluster(workspace, ClusterSpec(members=1))

    assert list(workspace.directory.iterdir()) == [workspace.logs]


def test_a_server_that_ends_while_the_set_forms_is_told_at_once_and_the_others_are_stopped(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill_the_last_one(step: str) -> None:
        if step == "adding 2 secondaries":
            log = str(workspace.logs / "mongod-2.log")
            [last] = [one for one in psutil.process_iter() if belongs(one, workspace) and log in one.cmdline()]
            last.kill()

    with pytest.raises(ClusterStartError, match=r"mongod-2 on .* ended with status -9"):
        start_cluster(workspace, ClusterSpec(members=3), on_step=kill_the_last_one)

    assert [one for one in psutil.process_iter() if belongs(one, workspace)] == []


def belongs(process: psutil.Process, workspace: Workspace) -> bool:
    try:
        return process.environ().get("WARMLINE_LAB") == workspace.token
    except psutil.Error:
        return False


@pytest.mark.parametrize("members", [-1, 0, 2, 4, 6, 8, 9])
def test_a_number_of_members_that_elects_badly_is_refused(members: int) -> None:
    with pytest.raises(ValueError, match=f"1, 3, 5 or 7 members, not {members}"):
        ClusterSpec(members=members)


def test_ports_are_free_and_all_different() -> None:
    ports = replica_set.free_ports(50)

    assert len(set(ports)) == 50
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()
