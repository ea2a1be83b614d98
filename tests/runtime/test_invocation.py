from __future__ import annotations

import time
from typing import Any

import pymongo
import pytest
from pymongo.errors import PyMongoError

import warmline
from warmline import handler, invocation
from warmline.lab.cluster import Cluster

from .context import Context

SLOW: dict[str, Any] = {"$where": "sleep(5000) || true"}


def collection(cluster: Cluster) -> Any:
    found = warmline.connect(cluster.uri)["shop"]["slow"]
    found.replace_one({"_id": 1}, {"_id": 1}, upsert=True)
    return found


def test_an_operation_ends_before_the_invocation_does(single: Cluster) -> None:
    slow = collection(single)
    context = Context(seconds=1.0)

    @handler
    def lambda_handler(event: object, context: Context) -> object:
        return slow.find_one(SLOW)

    with pytest.raises(PyMongoError) as caught:
        lambda_handler({}, context)
    assert caught.value.timeout
    assert context.get_remaining_time_in_millis() > 0


def test_the_context_manager_bounds_what_stands_in_its_block(single: Cluster) -> None:
    slow = collection(single)
    with pytest.raises(PyMongoError) as caught, invocation(Context(seconds=0.6), margin_seconds=0.1):
        slow.find_one(SLOW)
    assert caught.value.timeout


def test_with_no_time_left_an_operation_fails_rather_than_waits(single: Cluster) -> None:
    orders = collection(single)
    with pytest.raises(PyMongoError) as caught, invocation(Context(seconds=0.1)):
        orders.find_one(SLOW)
    assert caught.value.timeout


def test_a_timeout_inside_can_only_shorten(single: Cluster) -> None:
    slow = collection(single)
    context = Context(seconds=1.0)
    with pytest.raises(PyMongoError), invocation(context), pymongo.timeout(60):
        slow.find_one(SLOW)
    assert context.get_remaining_time_in_millis() > 0
    context = Context(seconds=30.0)
    with pytest.raises(PyMongoError), invocation(context), pymongo.timeout(0.2):
        slow.find_one(SLOW)
    assert context.get_remaining_time_in_millis() > 20_000


@pytest.mark.parametrize("context", [None, object()])
def test_without_a_lambda_context_nothing_is_bounded(context: object, single: Cluster) -> None:
    orders = collection(single)
    with invocation(context):
        assert orders.find_one({"$where": "sleep(300) || true"}) == {"_id": 1}


def test_the_bound_ends_with_the_invocation(single: Cluster) -> None:
    orders = collection(single)
    with invocation(Context(seconds=0.3)):
        orders.find_one({})
    time.sleep(0.4)
    assert orders.find_one({}) == {"_id": 1}


@handler
def plain(event: Any, context: Any) -> Any:
    """Answer."""
    return event


@handler(margin_seconds=1.5)
def with_arguments(event: Any, context: Any) -> Any:
    return event


def test_a_decorated_handler_is_called_and_looks_like_the_one_below_it() -> None:
    assert plain({"a": 1}, None) == {"a": 1}
    assert with_arguments({"a": 1}, None) == {"a": 1}
    assert plain.__name__ == "plain"
    assert plain.__doc__ == "Answer."


def test_the_margin_is_kept_back(single: Cluster) -> None:
    slow = collection(single)
    context = Context(seconds=2.0)

    @handler(margin_seconds=1.5)
    def lambda_handler(event: object, context: Context) -> object:
        return slow.find_one(SLOW)

    with pytest.raises(PyMongoError):
        lambda_handler({}, context)
    assert context.get_remaining_time_in_millis() > 500


async def an_async_generator(event: object, context: object) -> Any:
    yield event


def a_generator(event: object, context: object) -> Any:
    yield event


@pytest.mark.parametrize("function", [an_async_generator, a_generator, "app.handler"])
def test_what_it_cannot_bound_is_refused_at_once(function: Any) -> None:
    with pytest.raises(warmline.UnsupportedHandlerError, match="@handler"):
        handler(function)


def test_a_handlers_own_error_passes_unchanged() -> None:
    error = ValueError("mine")

    @handler
    def lambda_handler(event: object, context: object) -> None:
        raise error

    with pytest.raises(ValueError, match="mine") as caught:
        lambda_handler({}, Context(seconds=1.0))
    assert caught.value is error
