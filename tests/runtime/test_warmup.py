from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from pymongo.errors import PyMongoError

import warmline
from warmline.lab.atlas.front import Front, Network
from warmline.lab.cluster import Cluster
from warmline.runtime import warmup

from .context import Context

pytestmark = pytest.mark.usefixtures("on_lambda")


def uri_of(front: Front) -> str:
    return f"mongodb://127.0.0.1:{front.faces[0].port}/?directConnection=true"


@warmline.handler
def lambda_handler(event: Any, context: Any) -> Any:
    return event()


def test_a_cluster_that_refuses_at_first_is_connected_to_within_init(front: Front) -> None:
    front.lay(Network(cut="close"))
    threading.Timer(0.8, front.lay, [Network()]).start()
    client = warmline.connect(uri_of(front))
    assert not warmup._unconnected
    assert client.admin.command("ping")["ok"] == 1


def test_what_init_could_not_connect_is_connected_before_the_next_handler(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warmup, "INIT_CONNECT_SECONDS", 0.2)
    front.lay(Network(cut="close"))
    client = warmline.connect(uri_of(front))
    assert warmup._unconnected == [client]
    front.lay(Network())
    accepted = front.faces[0].counters.accepted

    def work() -> int:
        return front.faces[0].counters.accepted

    assert lambda_handler(work, Context(10)) > accepted
    assert not warmup._unconnected


def test_while_the_cluster_refuses_connections_are_tried_seldom_and_the_handler_keeps_half_of_its_time(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warmup, "INIT_CONNECT_SECONDS", 0.2)
    front.lay(Network(cut="close"))
    client = warmline.connect(uri_of(front))
    accepted = front.faces[0].counters.accepted
    began = time.monotonic()
    left = []

    def work() -> None:
        left.append(4.0 - (time.monotonic() - began))
        client.admin.command("ping")

    with pytest.raises(PyMongoError):
        lambda_handler(work, Context(4))
    assert left[0] > 1.4
    # PyMongo's monitor tries twice a second while a server is selected: no more than that, and a few of its retries.
    assert front.faces[0].counters.accepted - accepted <= 15


def test_an_asynchronous_client_is_connected_before_the_next_handler_too(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warmup, "INIT_CONNECT_SECONDS", 0.2)
    front.lay(Network(cut="close"))
    client = warmline.connect_async(uri_of(front))
    assert warmup._unconnected == [client]
    front.lay(Network())

    @warmline.handler
    async def asynchronous(event: object, context: object) -> Any:
        return await asyncio.wait_for(client.admin.command("ping"), timeout=5)

    assert asynchronous({}, Context(10))["ok"] == 1
    assert not warmup._unconnected


def test_pauses_grow_and_are_random_from_nothing_on() -> None:
    for attempt, longest in ((0, 0.2), (1, 0.4), (3, 1.6), (10, 2.0)):
        pauses = [warmup._pause(attempt) for _ in range(500)]
        assert max(pauses) <= longest
        assert max(pauses) > 0.9 * longest
        assert min(pauses) < 0.1 * longest


def test_wrong_credentials_are_tried_once(single: Cluster) -> None:
    began = time.monotonic()
    warmline.connect(single.uri, username="nobody", password="x")
    assert time.monotonic() - began < warmup.INIT_CONNECT_SECONDS
    assert not warmup._unconnected
