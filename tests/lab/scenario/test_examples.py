"""
The examples as a user runs them.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from warmline.lab.experiments import ExperimentResult, RunOptions
from warmline.lab.scenario import read_scenario, run_scenario

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "scenarios"


def run(name: str) -> ExperimentResult:
    return asyncio.run(run_scenario(read_scenario(EXAMPLES / f"{name}.toml"), RunOptions(), lambda *_: None))


def test_events_are_marked_when_they_happened_and_when_they_were_over() -> None:
    result = run("step-down")
    events = result.events["orders"]
    assert [event.label for event in events] == [
        "load",
        "step down",
        "black hole zone a for 2s",
        "black hole zone a for 2s: over",
        "end",
    ]
    assert events[1].seconds >= 3
    assert events[3].seconds - events[2].seconds >= 2
    # The primary is another one by then.
    assert [series.node for series in result.connections] == [
        "primary at first",
        "secondary 1 at first",
        "secondary 2 at first",
    ]
    assert result.variants["orders"]["invocations"] == 4 + 80
    assert not any("could not happen" in note for note in result.notes)


def test_a_deploy_brings_new_environments_and_the_new_password() -> None:
    result = run("deploy")
    orders = result.variants["orders"]
    # Those that the deploy has started hold their connections; the old ones have faded meanwhile.
    assert 0 < orders["environments"] < orders["cold_starts"]
    assert orders["connections_per_environment"] == 2
    # On a slow machine an environment starts between the rotation and the deploy.
    assert all("uthentication" in metric.label for metric in result.metrics if metric.group)
    assert result.variants["hello"]["connections_created"] == 0


def test_an_event_that_can_not_happen_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def lambda_handler(event, context): ...\n")
    (tmp_path / "alone.toml").write_text(
        "[cluster]\nmembers = 1\n"
        '[[functions]]\nhandler = "app.lambda_handler"\nload = "callers:1 for 1s"\n'
        '[[events]]\nat = "100ms"\ndo = "crash node 1 for 700ms"\n'
        '[[events]]\nat = "400ms"\ndo = "step down"\n'
    )
    result = asyncio.run(run_scenario(read_scenario(tmp_path / "alone.toml"), RunOptions(), lambda *_: None))
    (told,) = [note for note in result.notes if "could not happen" in note]
    assert told.startswith("At 0.4 s 'step down' could not happen: ")
    assert "\n" not in told
