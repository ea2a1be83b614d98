from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient, uri_parser
from pymongo.errors import OperationFailure

import warmline
from warmline import connect, connect_async
from warmline.lab.atlas import AtlasCluster
from warmline.lab.cluster.replica_set import free_ports
from warmline.runtime import loop, pin
from warmline.runtime.pin import Pin

HOST = "cluster0.lab.mongodb.test"
TODAY = datetime.now(UTC).date()

THREE = Pin(
    HOST,
    tuple(f"cluster0-shard-00-0{number}.lab.mongodb.test:2701{number}" for number in range(3)),
    {"authSource": "admin", "replicaSet": "warmline"},
    TODAY.isoformat(),
)


def pin_of(cluster: AtlasCluster) -> Pin:
    (servers,) = cluster.names.behaviour.zone.srv.values()
    return THREE._replace(seeds=tuple(f"{host}:{port}" for host, port in servers))


@pytest.fixture
def named(atlas: AtlasCluster, use_names_of: Callable[[AtlasCluster], None], on_lambda: None) -> AtlasCluster:
    """
    A cluster that this process, an execution environment in its Init phase, knows by its name.
    """
    use_names_of(atlas)
    return atlas


def srv_queries(cluster: AtlasCluster) -> int:
    return sum(query.kind in {"SRV", "TXT"} for query in cluster.names.queries)


def test_a_pin_is_read_as_it_was_written() -> None:
    assert pin.parse(THREE.text()) == THREE
    assert "\n" not in THREE.text()


@pytest.mark.parametrize(
    "change",
    [
        {"host": None},
        {"seeds": None},
        {"seeds": []},
        {"seeds": [27017]},
        {"seeds": ["cluster0-shard-00-00.lab.mongodb.test"]},
        {"seeds": ["elsewhere.example.com:27017"]},
        {"seeds": ["lab.mongodb.test:27017"]},
        {"options": None},
        {"options": {"tls": False}},
        {"resolved": "yesterday"},
        {"resolved": None},
    ],
)
def test_what_is_no_pin_is_refused(change: dict[str, Any]) -> None:
    fields = {**json.loads(THREE.text()), **change}
    with pytest.raises(ValueError, match=r"."):
        pin.parse(json.dumps(fields))
    del fields[next(iter(change))]
    with pytest.raises(ValueError, match=r"."):
        pin.parse(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "{}"])
def test_nor_is_other_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        pin.parse(text)


@pytest.mark.parametrize(
    "uri",
    [
        f"mongodb+srv://{HOST}",
        f"mongodb+srv://{HOST}/",
        f"mongodb+srv://{HOST}/shop",
        f"mongodb+srv://ada:p%40ss%2Fword@{HOST}/shop?retryWrites=true&w=majority",
        f"mongodb+srv://{HOST}/?authSource=%24external&authMechanism=MONGODB-AWS",
        f"mongodb+srv://{HOST}/?AuthSource=other;replicaset=another",
        f"mongodb+srv://{HOST}/?tls=false",
        f"mongodb+srv://{HOST}/?ssl=false&maxPoolSize=3",
        f"mongodb+srv://{HOST}?appName=orders",
        f"mongodb+srv://{HOST}/?",
    ],
)
def test_the_pinned_string_means_what_the_records_mean(
    uri: str, atlas: AtlasCluster, use_names_of: Callable[[AtlasCluster], None]
) -> None:
    use_names_of(atlas)
    by_records = uri_parser.parse_uri(uri)
    by_pin = uri_parser.parse_uri(pin.standard_uri(uri, pin_of(atlas)))
    for part in ("username", "password", "database", "collection", "options"):
        assert by_pin[part] == by_records[part], part
    assert sorted(by_pin["nodelist"]) == sorted(by_records["nodelist"])


def test_so_many_of_the_servers_are_drawn_anew_every_time() -> None:
    uri = f"mongodb+srv://{HOST}/?srvMaxHosts=1"
    drawn = {pin.standard_uri(uri, THREE, hosts=1) for _ in range(100)}
    assert len(drawn) == 3
    assert not any("srvMaxHosts" in each for each in drawn)
    assert pin.standard_uri(uri, THREE, hosts=5).count("cluster0-shard") == 3


def test_the_variable_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    assert pin.read(HOST) is None
    (tmp_path / pin.FILE).write_text(THREE.text())
    assert pin.read(HOST) == THREE
    assert pin.read(HOST.upper()) == THREE
    other = THREE._replace(seeds=THREE.seeds[:1])
    monkeypatch.setenv(pin.VARIABLE, other.text())
    assert pin.read(HOST) == other


def test_there_is_no_pin_where_there_is_no_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAMBDA_TASK_ROOT", raising=False)
    assert pin.read(HOST) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "malformed"),
        (THREE._replace(host="other.lab.mongodb.test").text(), "is for other.lab.mongodb.test"),
    ],
)
def test_a_pin_that_cannot_be_used_is_left_and_one_line_says_so(
    text: str, says: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(pin.VARIABLE, text)
    assert pin.read(HOST) is None
    (line,) = caplog.messages
    assert says in line
    assert "warmline pin" in line
    assert "\n" not in line


@pytest.mark.parametrize(("days", "lines"), [(0, 0), (29, 0), (31, 1)])
def test_an_old_pin_is_used_and_one_line_says_how_to_renew_it(
    days: int, lines: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    resolved = (TODAY - timedelta(days=days)).isoformat()
    monkeypatch.setenv(pin.VARIABLE, THREE._replace(resolved=resolved).text())
    assert pin.read(HOST) is not None
    assert len(caplog.messages) == lines
    assert all("days old" in line and "warmline pin" in line for line in caplog.messages)


def test_with_a_pin_nobody_is_asked_for_the_records(named: AtlasCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(pin.VARIABLE, pin_of(named).text())
    before = srv_queries(named)
    client = connect(named.uri())
    assert client["shop"]["orders"].count_documents({}) == 0
    assert client.topology_description.topology_type_name == "ReplicaSetWithPrimary"
    assert client.topology_description.replica_set_name == "warmline"
    assert srv_queries(named) == before
    assert connect(named.uri()) is client


def test_an_asynchronous_client_is_pinned_too(named: AtlasCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(pin.VARIABLE, pin_of(named).text())
    before = srv_queries(named)
    client = connect_async(named.uri())
    assert loop.run(client.admin.command("ping"))["ok"] == 1
    assert srv_queries(named) == before


@pytest.mark.parametrize("kind", [connect, connect_async])
def test_if_no_pinned_server_answers_the_records_are_asked_for_and_one_line_says_so(
    kind: Callable[..., Any], named: AtlasCluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (port,) = free_ports(1)
    dead = (f"cluster0-shard-00-00.lab.mongodb.test:{port}", f"gone.lab.mongodb.test:{port}")
    monkeypatch.setenv(pin.VARIABLE, THREE._replace(seeds=dead).text())
    with caplog.at_level(logging.WARNING, "warmline"):
        client = kind(named.uri())
    assert len(caplog.messages) == 1
    assert "none of the pinned servers answers" in caplog.messages[0]
    assert "warmline pin" in caplog.messages[0]
    ping = client.admin.command("ping")
    assert (loop.run(ping) if kind is connect_async else ping)["ok"] == 1
    assert kind(named.uri()) is client


def test_a_refused_login_is_no_reason_to_ask_for_the_records(
    named: AtlasCluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(pin.VARIABLE, pin_of(named).text())
    before = srv_queries(named)
    client = connect(named.uri(), username="nobody", password="wrong")
    assert srv_queries(named) == before
    with pytest.raises(OperationFailure, match="Authentication failed"):
        client.admin.command("ping")
    assert not any("pinned" in line for line in caplog.messages)


@pytest.mark.parametrize(
    ("variables", "options"),
    [
        ({"AWS_EXECUTION_ENV": ""}, {}),
        ({"_X_AMZN_TRACE_ID": "Root=1-0-0"}, {}),
        ({"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}, {}),
        ({}, {"connect": False}),
        ({}, {"srvServiceName": "mongodb"}),
    ],
)
def test_the_pin_is_left_alone_unless_it_is_connected_at_once_and_for_this_environment_alone(
    variables: dict[str, str], options: dict[str, Any], named: AtlasCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(pin.VARIABLE, pin_of(named).text())
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    before = srv_queries(named)
    client: MongoClient[dict[str, Any]] = connect(named.uri(), **options)
    assert client.admin.command("ping")["ok"] == 1
    assert srv_queries(named) > before


def test_a_malformed_string_is_refused_with_a_pin_as_without_it(
    monkeypatch: pytest.MonkeyPatch, on_lambda: None, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(pin.VARIABLE, THREE.text())
    for uri in (
        f"mongodb+srv://ada:s3/cr3t@{HOST}/",
        f"mongodb+srv://ada:s3?cr3t@{HOST}/",
        f"mongodb+srv://{HOST}:27/",
        f"mongodb+srv://{HOST},{HOST}/",
    ):
        with pytest.raises(warmline.InvalidURIError) as caught:
            connect(uri)
        assert "cr3t" not in str(caught.value)
    assert caplog.messages == []
