from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from warmline.lab.cluster import Cluster
from warmline.lab.measure import (
    UNNAMED,
    ConnectionLife,
    ConnectionSampler,
    connection_lives,
    logins,
    most_open,
    percentile,
)


def test_it_counts_a_clients_connections_on_each_node(replica_set: Cluster) -> None:
    with ConnectionSampler(replica_set.nodes) as sampler:
        # Elsewhere than on Lambda a client streams: an operation, a monitor and a round-trip-time connection.
        with MongoClient[dict[str, Any]](
            replica_set.uri, appName="counted", serverMonitoringMode="poll", maxPoolSize=1
        ) as client:
            client.admin.command("ping")
            wait_until(lambda: counts(sampler, "counted") == {"primary": 2, "secondary": [1, 1]}, sampler, replica_set)
        wait_until(lambda: counts(sampler, "counted") == {"primary": 0, "secondary": [0, 0]}, sampler, replica_set)


def test_a_client_on_lambda_without_a_name_is_counted_as_that(single: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda_python3.13")
    before = [life for life in connection_lives(single.nodes[0].log_path) if life.app == UNNAMED]
    with ConnectionSampler(single.nodes) as sampler, MongoClient[dict[str, Any]](single.uri, maxPoolSize=1) as client:
        client.admin.command("ping")
        wait_until(lambda: counts(sampler, UNNAMED)["primary"] == 2, sampler, single)
        lives = [life for life in connection_lives(single.nodes[0].log_path) if life.app == UNNAMED]
    assert len(lives) - len(before) == 2


def counts(sampler: ConnectionSampler, app: str) -> dict[str, Any]:
    now = sampler.now()
    numbers = sorted((sample.by_app.get(app, 0) for sample in now.values()), reverse=True)
    return {"primary": numbers[0], "secondary": numbers[1:]}


def wait_until(condition: Any, sampler: ConnectionSampler, cluster: Cluster) -> None:
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(sampler.now())


def test_a_sample_that_takes_long_is_followed_by_a_long_pause() -> None:
    class Slow(ConnectionSampler):
        calls = 0

        def now(self) -> dict[str, Any]:
            self.calls += 1
            time.sleep(0.1)
            return {}

    sampler = Slow([], interval_seconds=0.01)
    with sampler:
        time.sleep(1.0)
    # One when it begins, and another; the next would come after two seconds.
    assert sampler.calls == 2


def test_its_own_connections_and_the_members_are_nobodys(replica_set: Cluster) -> None:
    with ConnectionSampler(replica_set.nodes) as sampler:
        for sample in sampler.now().values():
            assert not {"warmline-lab", "OplogFetcher"} & sample.by_app.keys()
            assert sample.current > 0


def test_it_samples_by_itself_until_its_block_ends(single: Cluster) -> None:
    with ConnectionSampler(single.nodes, interval_seconds=0.02) as sampler:
        for _ in range(200):
            if len(sampler.samples) > 3:
                break
            time.sleep(0.02)
    taken = len(sampler.samples)
    assert taken > 3
    time.sleep(0.1)
    assert len(sampler.samples) == taken


def test_the_log_knows_connections_that_no_sample_saw(single: Cluster) -> None:
    began = time.time()
    for _ in range(3):
        with MongoClient[dict[str, Any]](single.uri, appName="short", serverMonitoringMode="poll") as client:
            client.admin.command("ping")
    (node,) = single.nodes
    for _ in range(100):
        lives = [life for life in connection_lives(node.log_path) if life.app == "short"]
        if len(lives) == 6 and all(life.ended < float("inf") for life in lives):
            break
        time.sleep(0.05)
    assert len(lives) == 6
    assert all(began - 1 <= life.opened <= life.ended <= time.time() + 1 for life in lives)


def test_a_servers_start_ends_what_was_open_and_counts_connections_from_one_again(tmp_path: Path) -> None:
    def entry(second: int, number: int, **fields: object) -> str:
        return json.dumps({"t": {"$date": f"2026-01-01T00:00:{second:02}.000+00:00"}, "id": number, **fields})

    doc = {"doc": {"application": {"name": "app"}}}
    started = [entry(second, 20698, ctx="-", msg="***** SERVER RESTARTED *****") for second in (0, 2)]
    opened = [entry(second, 51800, ctx="conn1", attr=doc) for second in (1, 3)]
    log = tmp_path / "mongod.log"
    log.write_text("\n".join((started[0], opened[0], started[1], opened[1])) + "\n")
    first, second = connection_lives(log)
    assert (first.ended - first.opened, second.opened - first.opened, second.ended) == (1, 2, float("inf"))


def test_logins_are_counted_by_the_connections_application(tmp_path: Path) -> None:
    log = tmp_path / "mongod.log"
    doc = {"doc": {"application": {"name": "orders"}}}
    lines = [
        {"id": 51800, "ctx": "conn1", "attr": doc},
        {"id": 20250, "ctx": "conn1", "attr": {}},
        {"id": 51800, "ctx": "conn2", "attr": doc},
        {"id": 5286306, "ctx": "conn2", "attr": {}},
        # A monitor's, which logs nobody in, and a login of somebody without a name.
        {"id": 51800, "ctx": "conn3", "attr": doc},
        {"id": 51800, "ctx": "conn4", "attr": {"doc": {}}},
        {"id": 20250, "ctx": "conn4", "attr": {}},
    ]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert logins(log) == {"orders": 2}


def test_the_most_open_connections_of_each_step_are_counted_between_the_samples_too() -> None:
    lives = [
        ConnectionLife("app", 0.2, 0.4),
        ConnectionLife("app", 0.3, 1.5),
        ConnectionLife("app", 2.0, float("inf")),
    ]
    assert most_open(lives, start=0.0, seconds=4.0, step=1.0) == [2, 1, 1, 1]
    assert most_open([], start=0.0, seconds=2.0, step=1.0) == [0, 0]


def test_percentiles_are_interpolated() -> None:
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0
    assert percentile([], 50) != percentile([], 50)
