from __future__ import annotations

from typing import TYPE_CHECKING

import pymongo
import pytest
from pymongo.errors import AutoReconnect, PyMongoError

from warmline.lab.cluster import Cluster
from warmline.runtime.metrics.counts import Process

if TYPE_CHECKING:
    from .conftest import CountedClient, Failing

# The server can't reach another (a mongos its shard, say): the driver tries once more.
UNREACHABLE = {"errorCode": 6}
NETWORK = {"closeConnection": True}
reads = pytest.mark.skipif(
    pymongo.version_tuple < (4, 18), reason="before PyMongo 4.18 the attempts of a read have nothing in common"
)


@pytest.mark.parametrize("how", [{**UNREACHABLE, "errorLabels": ["RetryableWriteError"]}, NETWORK])
def test_a_write_that_is_sent_again_is_a_retry(
    how: dict[str, object], process: Process, counted: CountedClient, failing: Failing, single: Cluster
) -> None:
    orders = counted(single, appName="writes")["metrics"]["orders"]
    with failing("writes", ["insert"], how):
        orders.insert_one({})
    orders.insert_one({})
    assert process.snapshot().retries == 1


@reads
@pytest.mark.parametrize("how", [UNREACHABLE, NETWORK])
def test_a_read_that_is_sent_again_is_a_retry(
    how: dict[str, object], process: Process, counted: CountedClient, failing: Failing, single: Cluster
) -> None:
    orders = counted(single, appName="reads")["metrics"]["orders"]
    with failing("reads", ["find"], how):
        orders.find_one({})
    orders.find_one({})
    assert process.snapshot().retries == 1


@reads
def test_the_further_batches_of_a_retried_read_are_no_retries(
    process: Process, counted: CountedClient, failing: Failing, single: Cluster
) -> None:
    orders = counted(single, appName="batches")["metrics"]["batches"]
    orders.delete_many({})
    orders.insert_many([{"_id": number} for number in range(10)])
    with failing("batches", ["find", "getMore"], UNREACHABLE):
        assert len(list(orders.find({}, batch_size=2))) == 10
    assert process.snapshot().retries == 1


def test_a_bulk_write_of_many_commands_is_no_retry(process: Process, counted: CountedClient, single: Cluster) -> None:
    orders = counted(single)["metrics"]["bulk"]
    orders.bulk_write(
        [
            pymongo.InsertOne({"_id": 1}),
            pymongo.UpdateOne({"_id": 1}, {"$set": {"x": 1}}),
            pymongo.DeleteOne({"_id": 1}),
            pymongo.InsertOne({"_id": 2}),
            pymongo.DeleteOne({"_id": 2}),
        ]
    )
    assert process.snapshot().retries == 0


def test_the_statements_of_a_transaction_are_no_retries(
    process: Process, counted: CountedClient, single: Cluster
) -> None:
    client = counted(single)
    orders = client["metrics"]["transactions"]
    orders.insert_one({})
    with client.start_session() as session, session.start_transaction():
        for _ in range(3):
            orders.insert_one({}, session=session)
        orders.find_one({}, session=session)
    assert process.snapshot().retries == 0


def test_an_operation_that_the_function_repeats_is_no_retry(
    process: Process, counted: CountedClient, failing: Failing, single: Cluster
) -> None:
    orders = counted(single, appName="again", retryReads=False)["metrics"]["orders"]
    with failing("again", ["find"], NETWORK), pytest.raises(AutoReconnect):
        orders.find_one({})
    orders.find_one({})
    assert process.snapshot().retries == 0


def test_an_operation_that_fails_at_both_attempts_was_retried_once(
    process: Process, counted: CountedClient, failing: Failing, single: Cluster
) -> None:
    orders = counted(single, appName="twice")["metrics"]["orders"]
    with failing("twice", ["insert"], NETWORK, times=2), pytest.raises(PyMongoError):
        orders.insert_one({})
    assert process.snapshot().retries == 1
