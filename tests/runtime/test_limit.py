from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from warmline import connect
from warmline.lab.atlas import AtlasCluster, AtlasSpec, start_atlas
from warmline.lab.names.answers import Behaviour, Failure
from warmline.lab.names.zone import REPLICA_SET_OPTIONS, SHARDED_OPTIONS
from warmline.lab.workspace import Workspace
from warmline.runtime import limit, pin

FACES = 5
HOST = "cluster0.lab.mongodb.test"


@pytest.fixture(scope="module")
def running() -> Iterator[AtlasCluster]:
    with Workspace() as workspace, start_atlas(workspace, AtlasSpec("sharded", members=1, faces=FACES)) as cluster:
        yield cluster


@pytest.fixture
def sharded(
    running: AtlasCluster, use_names_of: Callable[[AtlasCluster], None], on_lambda: None
) -> Iterator[AtlasCluster]:
    """
    A cluster of five mongos that this process, an execution environment in its Init phase, knows by its name.
    """
    use_names_of(running)
    behaviour = running.names.behaviour
    yield running
    running.names.behaviour = behaviour


def publish(cluster: AtlasCluster, txt: str | None) -> None:
    zone = cluster.names.behaviour.zone
    cluster.names.behaviour = Behaviour(dataclasses.replace(zone, txt={} if txt is None else {HOST: txt}))


def hosts(uri: str, **options: Any) -> int:
    client = connect(uri, **options)
    assert client.admin.command("ping")["ok"] == 1
    return len(client.topology_description.server_descriptions())


def test_on_a_sharded_cluster_an_environment_knows_three_mongos(sharded: AtlasCluster) -> None:
    assert hosts(sharded.uri()) == 3
    assert connect(sharded.uri()).topology_description.topology_type_name == "Sharded"


@pytest.mark.parametrize(("options", "known"), [({"srvMaxHosts": 2}, 2), ({"srvMaxHosts": 0}, FACES)])
def test_what_the_caller_says_wins(options: dict[str, int], known: int, sharded: AtlasCluster) -> None:
    assert hosts(sharded.uri(), **options) == known


def test_what_the_uri_says_wins(sharded: AtlasCluster) -> None:
    assert hosts(sharded.uri(options="srvMaxHosts=4")) == 4


def test_outside_lambda_all_are_known_as_without_warmline(
    sharded: AtlasCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_EXECUTION_ENV")
    assert hosts(sharded.uri()) == FACES


@pytest.mark.parametrize(("options", "known"), [("", 3), ("srvMaxHosts=2", 2)])
def test_of_the_pinned_mongos_so_many_are_drawn(
    options: str, known: int, sharded: AtlasCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    (servers,) = sharded.names.behaviour.zone.srv.values()
    seeds = tuple(f"{host}:{port}" for host, port in servers)
    pinned = pin.Pin(HOST, seeds, {"authSource": "admin"}, "2026-01-01")
    monkeypatch.setenv(pin.VARIABLE, pinned.text())
    before = len(sharded.names.queries)
    assert hosts(sharded.uri(options=options)) == known
    assert not any(query.kind in {"SRV", "TXT"} for query in sharded.names.queries[before:])


def test_on_a_replica_set_it_is_left_out(
    atlas: AtlasCluster, use_names_of: Callable[[AtlasCluster], None], on_lambda: None
) -> None:
    use_names_of(atlas)
    client = connect(atlas.uri())
    assert client.admin.command("ping")["ok"] == 1
    assert client.topology_description.topology_type_name == "ReplicaSetWithPrimary"


@pytest.mark.parametrize(
    ("txt", "sharded_by_it"),
    [
        (SHARDED_OPTIONS, True),
        (REPLICA_SET_OPTIONS, False),
        ("authSource=admin&replicaset=rs0", False),
        ("loadBalanced=true", False),
        (None, False),
    ],
)
def test_the_txt_record_tells(txt: str | None, sharded_by_it: bool, sharded: AtlasCluster) -> None:
    publish(sharded, txt)
    assert limit.is_sharded(limit.txt_options(HOST)) is sharded_by_it


@pytest.mark.parametrize("failure", [Failure.SERVFAIL, Failure.REFUSED, Failure.NXDOMAIN, Failure.SILENT])
def test_a_record_that_cannot_be_read_tells_nothing(
    failure: Failure, sharded: AtlasCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limit, "_DNS_SECONDS", 0.2)
    sharded.names.behaviour = dataclasses.replace(sharded.names.behaviour, failure=failure)
    assert limit.txt_options(HOST) is None


def test_the_record_is_asked_for_once_more_than_the_driver_does(sharded: AtlasCluster) -> None:
    before = len(sharded.names.queries)
    hosts(sharded.uri())
    kinds = [query.kind for query in sharded.names.queries[before:] if query.kind in {"SRV", "TXT"}]
    assert kinds == ["TXT", "SRV", "TXT"]
