from __future__ import annotations

import asyncio

from warmline.lab.experiments import RunOptions
from warmline.lab.experiments.async_loop import run


def test_one_loop_serves_every_invocation_and_a_loop_for_each_only_the_first() -> None:
    result = asyncio.run(run(RunOptions(environments=2), lambda _doing, _done: None))
    documented, ours = result.variants["documented"], result.variants["warmline"]
    # Ten invocations of each of two environments: the first one of each works.
    assert documented["failed_invocations"] == 18
    assert documented["failed_of_warm_percent"] == 100
    assert ours["failed_invocations"] == 0
    # Two on the primary, one on each secondary.
    assert ours["connections_created"] == 2 * 4
    assert ours["primary_connections_per_environment"] == 2
    assert result.variants["per-invocation"]["connections_created"] == 2 * 10 * 4
