"""
What MongoDB's drivers test on Lambda, in the lab: cold, frozen for a minute, and after the primaries were restarted.

Sources: https://github.com/mongodb/specifications/blob/master/source/faas-automated-testing/faas-automated-testing.md,
and the order of its script, https://github.com/mongodb-labs/drivers-evergreen-tools (.evergreen/aws_lambda).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from warmline.lab.errors import ClockUnavailable
from warmline.testing import Connections, Fleet, LambdaLab, MongoCluster, Result

# The script's pause, and the time limit that the specification sets in the template.
FROZEN_SECONDS = 60
TIMEOUT_SECONDS = 30

CLIENTS = ("plain", "with_warmline")
CLOCKS = ("runs", "stands-still")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Run:
    """
    One function's invocations by their names, and what its environment had open after each.
    """

    client: str
    results: dict[str, Result] = field(default_factory=dict)
    connections: dict[str, Connections] = field(default_factory=dict)

    @property
    def reports(self) -> list[dict[str, Any]]:
        return [result.value for result in self.results.values() if result.ok]


@pytest.fixture(scope="module")
def runs(lambda_lab: LambdaLab, mongo_cluster: MongoCluster) -> dict[tuple[str, str], Run]:
    """
    All of them at once: most of it is waiting.
    """
    fleets = {}
    for clock in CLOCKS:
        for client in CLIENTS:
            try:
                fleets[client, clock] = deploy(lambda_lab, client, clock)
            except ClockUnavailable:
                continue
    found = {key: Run(client=key[0]) for key in fleets}

    def invoke(name: str) -> None:
        for key, fleet in fleets.items():
            found[key].results[name] = fleet.invoke()
            fleet.freeze()
            found[key].connections[name] = fleet.connections

    def freeze() -> None:
        next(iter(fleets.values())).freeze(FROZEN_SECONDS)

    invoke("cold")
    freeze()
    invoke("frozen")
    mongo_cluster.restart_primary()
    freeze()
    invoke("outage")
    # Not in the script: what comes after.
    invoke("after")
    return found


def deploy(lab: LambdaLab, client: str, clock: str) -> Fleet:
    return lab.deploy(
        f"{client}.lambda_handler", code="tests/lab/functions/faas", timeout_seconds=TIMEOUT_SECONDS, monotonic=clock
    )


@pytest.fixture(params=[(client, clock) for clock in CLOCKS for client in CLIENTS], ids=lambda param: "-".join(param))
def run(request: pytest.FixtureRequest, runs: dict[tuple[str, str], Run]) -> Run:
    if request.param not in runs:
        pytest.skip("a monotonic clock that stands still takes Linux and a C compiler")
    return runs[request.param]


def test_each_invocation_writes_to_the_primary_in_the_same_environment(run: Run) -> None:
    assert [report["deleted"] for report in run.reports] == [1] * len(run.reports)
    assert [result.cold for result in run.results.values()] == [True, False, False, False]
    assert len({result.environment for result in run.results.values()}) == 1


def test_only_the_driver_alone_may_fail_and_only_right_after_the_primarys_restart(run: Run) -> None:
    failed = {name: result.error_type for name, result in run.results.items() if not result.ok}
    if run.client == "plain" and failed:
        # The write goes to the primary of before the freeze. While it gets a new connection the monitor hears that this
        # is a secondary now; to PyMongo that is a server which does not support retryable writes, so it retries none.
        assert failed == {"outage": "NotPrimaryError"}
    else:
        assert failed == {}


def test_no_heartbeat_is_awaited(run: Run) -> None:
    assert [report["awaited_heartbeats"] for report in run.reports] == [0] * len(run.reports)
    assert len(run.reports[0]["heartbeats_ms"]) >= 1


def test_commands_and_their_durations_are_recorded(run: Run) -> None:
    for report in run.reports:
        assert len(report["commands_ms"]) >= 2
        assert all(milliseconds > 0 for milliseconds in report["commands_ms"])


def test_one_connection_for_operations_and_a_monitor_for_each_member_are_open(run: Run) -> None:
    for name in ("cold", "frozen"):
        assert run.results[name].value["open_connections"] == 1
        assert run.connections[name] == Connections(primary=2, secondaries=(1, 1))
    assert run.connections["after"].primary == 2


def test_nothing_fails_over_a_freeze(run: Run) -> None:
    frozen = run.results["frozen"].value
    assert (frozen["failed_commands"], frozen["failed_heartbeats"]) == (0, 0)
