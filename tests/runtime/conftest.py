from __future__ import annotations

from collections.abc import Iterator

import pytest
from pymongo import AsyncMongoClient, MongoClient

from warmline.lab.atlas.front import FaceSpec, Front, FrontOptions
from warmline.lab.atlas.loop import LoopThread
from warmline.lab.cluster import Cluster
from warmline.runtime import loop, thaw, warmup
from warmline.runtime.registry import CLIENTS


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    Each test begins like a new process: no clients yet, no URI, no event loop, not on Lambda.
    """
    for name in (
        "MONGODB_URI",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "WARMLINE_METRICS",
        "_X_AMZN_TRACE_ID",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(thaw, "_freeze", thaw._Freeze())
    monkeypatch.setattr(loop, "_loop", None)
    yield
    for client in CLIENTS.all(MongoClient):
        client.close()
    for asynchronous in CLIENTS.all(AsyncMongoClient):
        loop.run(asynchronous.close())
    if loop._loop is not None:
        loop._loop.close()
    CLIENTS.clear()
    warmup._unconnected.clear()


@pytest.fixture
def on_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The variables of an execution environment in its Init phase.
    """
    monkeypatch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda_python3.13")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "7")


@pytest.fixture
def front(single: Cluster) -> Iterator[Front]:
    """
    A network before the server, which can lose flows and close every connection, as a node at its limit does.
    """
    (node,) = single.nodes
    with LoopThread() as thread:
        started = Front([FaceSpec("node", (node.host, node.port))], FrontOptions())
        thread.run(started.__aenter__())
        yield started
        thread.run(started.__aexit__())
