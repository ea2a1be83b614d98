from __future__ import annotations

import asyncio

import pytest

from warmline.lab.experiments import RunOptions
from warmline.lab.experiments.reuse_client import EXPERIMENT

ENVIRONMENTS = 300


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_three_hundred_environments_hold_exactly_four_connections_each_without_an_error() -> None:
    result = asyncio.run(EXPERIMENT.run(RunOptions(environments=ENVIRONMENTS), lambda *_: None))
    for name, metrics in result.variants.items():
        assert metrics["errors"] == 0
        if name != "per-invocation":
            assert metrics["primary_connections_per_environment"] == 2
            assert metrics["secondary_connections_per_environment"] == 1
