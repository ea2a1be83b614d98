"""
Tests of the function, in real Lambda environments against a real replica set: `pip install 'warmline[lab]' pytest`.
"""

import pytest


@pytest.fixture(scope="module")
def fleet(lambda_lab, mongo_cluster):
    mongo_cluster.client["shop"]["orders"].insert_one({"_id": 1, "total": 3})
    with lambda_lab.deploy("app.lambda_handler", environments=20) as fleet:
        yield fleet


def test_twenty_environments_hold_forty_connections_on_the_primary(fleet):
    results = fleet.invoke_many([{"id": 1}] * 100)
    assert [result.value for result in results] == [{"total": 3}] * 100
    assert fleet.connections.primary <= 40
    assert fleet.peak.primary <= 40


def test_after_a_freeze_and_an_election_the_next_request_is_answered(fleet, mongo_cluster):
    fleet.freeze()
    mongo_cluster.step_down()
    assert fleet.invoke({"id": 1}).ok


def test_connections_end_with_the_environments(fleet):
    fleet.shutdown()
    assert fleet.connections.total == 0
