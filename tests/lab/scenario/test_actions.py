"""
Every kind of event on a real cluster: what a client sees of it, and that it ends.
"""

from __future__ import annotations

import errno
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import dns.message
import dns.query
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from warmline.lab.atlas import AtlasCluster, AtlasSpec, start_atlas
from warmline.lab.cluster.faults import wait_until_whole
from warmline.lab.names.answers import Failure
from warmline.lab.scenario.actions import Stage
from warmline.lab.scenario.events import FORMS, parse_event
from warmline.lab.workspace import Workspace

PATIENCE_SECONDS = 60.0

Client = MongoClient[dict[str, Any]]


@pytest.fixture(scope="module")
def cluster() -> Iterator[AtlasCluster]:
    with Workspace() as workspace, start_atlas(workspace, AtlasSpec(through_front=True)) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def stage(cluster: AtlasCluster) -> Stage:
    # What these events do needs neither functions nor their loop.
    return Stage(cluster, None, None, dict)  # type: ignore[arg-type]


@pytest.fixture
def client(cluster: AtlasCluster) -> Iterator[Callable[..., Client]]:
    """
    Make a client that has come through the front to one member.
    """
    opened = []

    def client(number: int = 0) -> Client:
        assert cluster.front is not None
        assert cluster.servers.users is not None
        assert cluster.servers.certificates is not None
        made: Client = MongoClient(
            "127.0.0.1",
            cluster.front.faces[number].port,
            directConnection=True,
            tls=True,
            tlsCAFile=str(cluster.servers.certificates.ca),
            serverSelectionTimeoutMS=2_000,
            connectTimeoutMS=1_000,
            socketTimeoutMS=1_000,
            retryReads=False,
            **cluster.servers.users.application.options(),
        )
        opened.append(made)
        return made

    yield client
    for one in opened:
        one.close()


def works(client: Client) -> bool:
    try:
        client.admin.command("ping")
    except OperationFailure:
        raise
    except PyMongoError:
        return False
    return True


def begin(stage: Stage, text: str) -> Callable[[], None]:
    undo = parse_event(0.0, text, ["app"]).begin(stage)
    assert undo is not None
    return undo


def test_a_black_hole_swallows_what_goes_to_its_zone_until_it_ends(stage: Stage, client: Callable[..., Client]) -> None:
    swallowed, passed = client(1), client(0)
    assert works(swallowed)
    assert works(passed)
    undo = begin(stage, "black hole zone b for 1s")
    assert not works(swallowed)
    assert works(passed)
    undo()
    assert works(client(1))


def test_delay_makes_every_message_take_longer(stage: Stage, client: Callable[..., Client]) -> None:
    delayed = client(2)
    assert works(delayed)
    undo = begin(stage, "delay 150ms to node 3 for 1s")
    started = time.monotonic()
    assert works(delayed)
    assert time.monotonic() - started >= 0.3
    undo()


def test_forgotten_connections_are_lost_and_new_ones_pass(stage: Stage, client: Callable[..., Client]) -> None:
    old = client()
    assert works(old)
    assert parse_event(0.0, "forget connections of all", []).begin(stage) is None
    assert not works(old)
    assert works(client())


def test_reset_connections_end_at_once_and_new_ones_pass(
    stage: Stage, cluster: AtlasCluster, client: Callable[..., Client]
) -> None:
    assert cluster.front is not None
    assert cluster.servers.certificates is not None
    tls = ssl.create_default_context(cafile=str(cluster.servers.certificates.ca))
    face = cluster.front.faces[1]
    before = face.counters.open
    with (
        socket.create_connection(("127.0.0.1", face.port), timeout=PATIENCE_SECONDS) as raw,
        tls.wrap_socket(raw, server_hostname=cluster.hosts[1]) as open_one,
    ):
        until = time.monotonic() + PATIENCE_SECONDS
        while face.counters.open == before and time.monotonic() < until:
            time.sleep(0.01)
        assert parse_event(0.0, "reset connections of node 2", []).begin(stage) is None
        # Python's ssl takes a reset for an end, so the kernel is asked.
        assert select.select([open_one], [], [], PATIENCE_SECONDS)[0]
        assert open_one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET
    assert works(client(1))


@pytest.mark.parametrize("text", ["refuse connections for 1s", "deny access for 1s", "limit connections 1 for 1s"])
def test_new_connections_are_turned_away_and_open_ones_stay(
    stage: Stage, client: Callable[..., Client], text: str
) -> None:
    old = client()
    assert works(old)
    undo = begin(stage, text)
    assert not works(client())
    assert works(old)
    undo()
    assert works(client())


def test_new_connections_can_be_limited_by_the_second(stage: Stage, cluster: AtlasCluster) -> None:
    assert cluster.front is not None
    undo = begin(stage, "limit new connections 15/s for 1s")
    assert {face.limits.new_per_second for face in cluster.front.faces} == {15}
    undo()
    assert {face.limits for face in cluster.front.faces} == {cluster.spec.limits}
    assert parse_event(0.0, "limit new connections 15/s", []).begin(stage) is None
    cluster.front.limit(cluster.spec.limits)


def test_lost_names_are_not_answered(stage: Stage, cluster: AtlasCluster) -> None:
    host, port = cluster.names.address
    query = dns.message.make_query(cluster.hosts[0], "A")
    undo = begin(stage, "lose names for 1s")
    with pytest.raises(dns.exception.Timeout):
        dns.query.udp(query, host, port=port, timeout=0.3)
    undo()
    assert cluster.names.behaviour.failure is Failure.NONE
    assert dns.query.udp(query, host, port=port, timeout=5).answer


def test_a_rotated_password_is_in_the_connection_string_and_the_old_one_is_refused(
    stage: Stage, cluster: AtlasCluster, client: Callable[..., Client]
) -> None:
    old, before = client(), cluster.uri()
    parse_event(0.0, "rotate password", []).begin(stage)
    assert cluster.uri() != before
    with pytest.raises(OperationFailure):
        works(old)
    assert works(client())


def test_a_step_down_hands_the_office_over(stage: Stage, cluster: AtlasCluster) -> None:
    before = cluster.servers.primary()
    parse_event(0.0, "step down", []).begin(stage)
    wait_until_whole(cluster.servers, PATIENCE_SECONDS)
    assert cluster.servers.primary() != before


def test_a_crashed_node_is_gone_until_it_is_started_again(stage: Stage, cluster: AtlasCluster) -> None:
    mongod = cluster.servers.mongods[0]
    undo = begin(stage, "crash node 1 for 1s")
    assert not mongod.is_running
    undo()
    assert mongod.is_running
    wait_until_whole(cluster.servers, PATIENCE_SECONDS)


def test_a_restart_is_another_process(stage: Stage, cluster: AtlasCluster) -> None:
    before = [mongod.pid for mongod in cluster.servers.mongods]
    parse_event(0.0, "restart node 2", []).begin(stage)
    after = [mongod.pid for mongod in cluster.servers.mongods]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]
    wait_until_whole(cluster.servers, PATIENCE_SECONDS)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.example)
def test_an_events_example_is_of_its_own_form(form: Any) -> None:
    assert parse_event(1.0, form.example, ["orders"]).form is form
