from __future__ import annotations

import asyncio

import pytest

from warmline.lab.experiments import RunOptions
from warmline.lab.experiments.event_loop import METRICS, ROUNDS, run
from warmline.lab.node import Node


# Each invocation that waits takes the three seconds of its timeout; the first time AWS's client is compiled.
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_only_the_callback_that_waits_times_out_and_closing_the_client_opens_connections_each_time(node: Node) -> None:
    result = asyncio.run(run(RunOptions(environments=2), lambda _doing, _done: None))
    waits, closes, documented, not_concerned = (result.variants[name] for name in result.variant_labels)
    total = 2 * ROUNDS
    assert all(variant.keys() == {metric.name for metric in METRICS} for variant in result.variants.values())
    assert [variant["other_errors"] for variant in result.variants.values()] == [0, 0, 0, 0]

    assert (waits["timed_out"], waits["environments_reset"]) == (total, total)
    for variant in (closes, documented, not_concerned):
        assert (variant["timed_out"], variant["environments_reset"]) == (0, 0)
    # A monitor on each of three nodes, and one connection for operations.
    for variant in (documented, not_concerned):
        assert variant["connections_created"] == 2 * 4
        assert variant["primary_connections_per_environment"] == 2
        assert variant["secondary_connections_per_environment"] == 1
    assert closes["connections_created"] > ROUNDS * 2
    assert closes["primary_connections_per_environment"] == 0
    assert {"node", "mongodb", "aws-lambda-ric"} <= result.versions.keys()
