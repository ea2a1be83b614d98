from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from pymongo import MongoClient

from warmline.lab.cluster import Cluster
from warmline.runtime.metrics import switch
from warmline.runtime.metrics.counts import PROCESS, Process
from warmline.runtime.metrics.heartbeats import HeartbeatListener
from warmline.runtime.metrics.pools import PoolListener
from warmline.runtime.metrics.retries import RetryListener

Client = MongoClient[dict[str, Any]]
CountedClient = Callable[..., Client]
Failing = Callable[..., AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def _nobody_wants_metrics(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    As in a new process; nothing is counted either.
    """
    monkeypatch.setattr(switch, "_receivers", switch._Receivers())
    PROCESS.snapshot()
    yield
    PROCESS.snapshot()


@pytest.fixture
def process() -> Process:
    """
    Counts of their own for each test.
    """
    return Process()


@pytest.fixture
def counted(process: Process) -> Iterator[CountedClient]:
    """
    Make a plain client whose connections the process counts.
    """
    clients: list[Client] = []

    def counted(cluster: Cluster, **options: Any) -> Client:
        listeners = [PoolListener(process), RetryListener(process), HeartbeatListener(process)]
        clients.append(MongoClient(cluster.uri, event_listeners=listeners, **options))
        return clients[-1]

    yield counted
    for client in clients:
        client.close()


@pytest.fixture
def failing(single: Cluster) -> Failing:
    """
    Have the server fail the next commands of one application in some way.
    """

    @contextmanager
    def failing(application: str, commands: list[str], how: Mapping[str, Any], times: int = 1) -> Iterator[None]:
        with MongoClient[dict[str, Any]](single.uri) as admin:
            data = {"appName": application, "failCommands": commands, **how}
            admin.admin.command({"configureFailPoint": "failCommand", "mode": {"times": times}, "data": data})
            try:
                yield
            finally:
                admin.admin.command({"configureFailPoint": "failCommand", "mode": "off"})

    return failing
