"""
The experiment itself is the test: one real run, and the counts that every claim about connections rests on.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from warmline.lab.experiments import EXPERIMENTS, ExperimentResult, RunOptions
from warmline.lab.experiments.reuse_client import METRICS
from warmline.lab.workspace import TOKEN_VARIABLE

ENVIRONMENTS = 20
# A burst, twelve rounds, and the burst of the fleet that is killed.
INVOCATIONS = ENVIRONMENTS * 14


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    progress: list[float] = []
    (experiment,) = [experiment for experiment in EXPERIMENTS if experiment.name == "reuse-client"]
    found = asyncio.run(experiment.run(RunOptions(environments=ENVIRONMENTS), lambda _, done: progress.append(done)))
    assert progress == sorted(progress)
    return found


@pytest.mark.parametrize("variant", ["documented", "warmline"])
def test_one_client_holds_two_connections_on_the_primary_and_one_on_each_secondary(
    result: ExperimentResult, variant: str
) -> None:
    metrics = result.variants[variant]
    assert metrics["primary_connections_per_environment"] == 2
    assert metrics["secondary_connections_per_environment"] == 1


def test_warmline_creates_four_connections_for_each_environment_and_no_more(result: ExperimentResult) -> None:
    # Two fleets: the one that is shut down and the one that is killed.
    assert result.variants["warmline"]["connections_created"] == 4 * ENVIRONMENTS * 2


def test_a_client_per_invocation_creates_connections_with_every_invocation(result: ExperimentResult) -> None:
    # At least the operation's and the primary's monitor; a client is dropped before it has met every member.
    assert result.variants["per-invocation"]["connections_created"] >= 2 * INVOCATIONS


@pytest.mark.parametrize("variant", ["per-invocation", "documented", "warmline"])
def test_nothing_is_left_ten_seconds_after_the_last_environment(result: ExperimentResult, variant: str) -> None:
    assert result.variants[variant]["connections_left_after_shutdown"] == 0
    assert result.variants[variant]["connections_left_after_kill"] == 0


def test_what_nobody_has_closed_is_left_when_an_environment_is_destroyed(result: ExperimentResult) -> None:
    left = {name: metrics["connections_left_after_destruction"] for name, metrics in result.variants.items()}
    if math.isnan(left["warmline"]):
        assert any("that is not among the figures: a network of its own" in note for note in result.notes)
        pytest.skip("the destruction of an environment takes a network of its own")
    assert left == {"per-invocation": 0, "documented": 4 * ENVIRONMENTS, "warmline": 0}


def test_no_invocation_fails(result: ExperimentResult) -> None:
    assert {name: metrics["errors"] for name, metrics in result.variants.items()} == {
        "per-invocation": 0,
        "documented": 0,
        "warmline": 0,
    }


def test_cold_and_warm_latencies_are_kept_apart(result: ExperimentResult) -> None:
    for latencies in result.latencies:
        assert len(latencies.cold_ms) == 2 * ENVIRONMENTS
        assert len(latencies.warm_ms) == INVOCATIONS - 2 * ENVIRONMENTS


def test_every_metric_of_every_variant_is_measured(result: ExperimentResult) -> None:
    names = {metric.name for metric in METRICS}
    assert all(metrics.keys() == names for metrics in result.variants.values())


def test_the_series_shows_the_fleet_come_and_go(result: ExperimentResult) -> None:
    for series in result.connections:
        if series.variant == "warmline":
            assert max(series.counts) == ENVIRONMENTS * (2 if series.node == "primary" else 1)
            assert series.counts[-1] == 0
            assert list(series.seconds) == sorted(series.seconds)


def test_environments_by_state_show_the_fleet_come_and_go(result: ExperimentResult) -> None:
    for variant in result.variants:
        mine = [series for series in result.environments if series.variant == variant]
        totals = [sum(counts) for counts in zip(*(series.counts for series in mine), strict=True)]
        assert max(totals) == ENVIRONMENTS
        assert totals[-1] == 0
        assert {series.seconds for series in mine} == {mine[0].seconds}
        assert max(max(series.counts) for series in mine if series.state == "frozen") == ENVIRONMENTS


def marked(token: str) -> list[str]:
    """
    The processes of one run of the lab that are still there.
    """
    mark = f"{TOKEN_VARIABLE}={token}".encode()
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "comm").read_text().strip())
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc, which Linux has")
@pytest.mark.parametrize(
    ("ending", "exit_code", "says"),
    [(signal.SIGKILL, -9, ""), (signal.SIGINT, 130, "stopped; everything that was started has ended")],
)
def test_a_run_that_is_ended_in_the_middle_leaves_nothing_behind(
    tmp_path: Path, ending: signal.Signals, exit_code: int, says: str
) -> None:
    command = [sys.executable, "-m", "warmline.cli", "lab", "run", "reuse-client", "--environments", "10"]
    with subprocess.Popen(
        command,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        (token,) = wait_for(lambda: tokens(run.pid), "the lab's first process")
        names = wait_for(lambda: (found := marked(token)).count("python") > 8 and found, "environments")
        assert "mongod" in names
        run.send_signal(ending)
        _, stderr = run.communicate()
    assert run.returncode == exit_code
    assert says in stderr
    assert "Traceback" not in stderr
    wait_for(lambda: not marked(token), "the end of every process")
    wait_for(lambda: not list(tmp_path.iterdir()), "the directory's removal")


def tokens(parent: int) -> set[str]:
    """
    The marks on the children of a process.
    """
    found = set()
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and f"\nPPid:\t{parent}\n" in (process / "status").read_text():
                for entry in (process / "environ").read_text().split("\0"):
                    name, _, value = entry.partition("=")
                    if name == TOKEN_VARIABLE:
                        found.add(value)
        except OSError:
            continue
    return found


def wait_for(condition, what: str):  # type: ignore[no-untyped-def]
    for _ in range(600):
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


def test_the_result_is_json_without_a_secret_or_a_path(result: ExperimentResult) -> None:
    text = json.dumps([result.parameters, result.machine, result.versions, result.command])
    assert str(Path.home()) not in text
    assert "mongodb://" not in text
