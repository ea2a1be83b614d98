from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

import warmline
from warmline.lab.cluster import Cluster
from warmline.runtime import loop

from .context import Context


def test_an_async_handler_works_in_every_invocation_with_one_client(single: Cluster) -> None:
    client = warmline.connect_async(single.uri)

    @warmline.handler
    async def lambda_handler(event: object, context: object) -> int:
        return await client["shop"]["orders"].count_documents({})

    assert [lambda_handler({}, None) for _ in range(3)] == [0, 0, 0]


def test_the_same_arguments_give_the_same_client_and_another_kind_another(single: Cluster) -> None:
    assert warmline.connect_async(single.uri) is warmline.connect_async(single.uri)
    assert isinstance(warmline.connect(single.uri), MongoClient)


@pytest.mark.usefixtures("on_lambda")
def test_on_lambda_an_asynchronous_client_is_connected_when_connect_async_returns(single: Cluster) -> None:
    client = warmline.connect_async(single.uri, appName="async-init")
    syn = warmline.connect(single.uri)
    operations = syn.admin.aggregate([{"$currentOp": {"idleConnections": True, "allUsers": True}}])
    assert [operation.get("appName") for operation in operations].count("async-init") == 2
    assert loop.run(client.admin.command("ping"))["ok"] == 1


@pytest.mark.usefixtures("on_lambda")
def test_within_a_running_loop_the_first_operation_connects(single: Cluster) -> None:
    async def ask() -> Any:
        return await warmline.connect_async(single.uri).admin.command("ping")

    assert loop.run(ask())["ok"] == 1


@pytest.mark.usefixtures("on_lambda")
def test_a_failure_during_init_is_one_line_for_an_asynchronous_client_too(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "warmline"):
        warmline.connect_async("mongodb://app:s3cr3t@127.0.0.1:1/", serverSelectionTimeoutMS=200)
    (line,) = caplog.messages
    assert "could not connect during Init" in line
    assert "s3cr3t" not in line


def test_the_loop_is_what_asyncio_gives_to_code_that_asks_for_one() -> None:
    assert warmline.event_loop() is asyncio.get_event_loop_policy().get_event_loop()
    assert warmline.event_loop() is warmline.event_loop()


def test_a_task_that_is_left_running_is_cancelled_and_named(caplog: pytest.LogCaptureFixture) -> None:
    ended = []

    async def forgotten() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")

    @warmline.handler
    async def lambda_handler(event: object, context: object) -> str:
        task = asyncio.ensure_future(forgotten())
        await asyncio.sleep(0)
        return "pending" if not task.done() else "done"

    assert lambda_handler({}, None) == "pending"
    assert ended == ["cancelled"]
    assert "forgotten" in caplog.text


def test_the_clients_own_tasks_live_on(single: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    client = warmline.connect_async(single.uri)

    @warmline.handler
    async def lambda_handler(event: object, context: object) -> None:
        await client.admin.command("ping")

    def monitors() -> set[asyncio.Task[Any]]:
        return {task for task in asyncio.all_tasks(warmline.event_loop()) if "monitor" in task.get_name()}

    lambda_handler({}, None)
    running = monitors()
    assert running
    lambda_handler({}, None)
    assert running == monitors()
    assert "cancelled" not in caplog.text


def test_an_async_handlers_operations_end_before_the_invocation_does(single: Cluster) -> None:
    client = warmline.connect_async(single.uri)
    loop.run(client["shop"]["slow-async"].replace_one({"_id": 1}, {"_id": 1}, upsert=True))

    @warmline.handler
    async def lambda_handler(event: object, context: object) -> object:
        return await client["shop"]["slow-async"].find_one({"$where": "sleep(5000) || true"})

    with pytest.raises(PyMongoError) as caught:
        lambda_handler({}, Context(0.6))
    assert caught.value.timeout


def test_a_callable_object_that_asks_asyncio_for_a_loop_gets_the_clients_one(single: Cluster) -> None:
    client = warmline.connect_async(single.uri)

    class Framework:
        """
        As Mangum: called with the event, it runs a coroutine in asyncio's current loop.
        """

        def __call__(self, event: object, context: object) -> Any:
            return asyncio.get_event_loop_policy().get_event_loop().run_until_complete(client.admin.command("ping"))

    lambda_handler = warmline.handler(Framework())
    assert [lambda_handler({}, None)["ok"] for _ in range(2)] == [1, 1]
