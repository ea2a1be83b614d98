"""
Functions under load on a real cluster, and what the result says of each.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from warmline.lab.atlas import AtlasSpec
from warmline.lab.aws import FunctionSpec
from warmline.lab.errors import InitFailed, UnusableFunction
from warmline.lab.experiments import ExperimentResult, RunOptions
from warmline.lab.load import parse_load
from warmline.lab.own import URI
from warmline.lab.scenario import LoadedFunction, Scenario, run_scenario

KEPT = """
from warmline import connect, handler

client = connect()

@handler
def lambda_handler(event, context):
    # A database that nobody has named to the cluster before.
    client["elsewhere"]["things"].insert_one({})
"""

PER_INVOCATION = """
import os
from pymongo import MongoClient

def lambda_handler(event, context):
    with MongoClient(os.environ["DATABASE"]) as client:
        client["elsewhere"]["things"].find_one({})
"""

DOCUMENTED = """
import os
from pymongo import MongoClient

client = MongoClient(os.environ["MONGODB_URI"])

def lambda_handler(event, context):
    client["elsewhere"]["things"].find_one({})
"""

IDLE = """
def lambda_handler(event, context):
    if event["fails"]:
        raise ValueError(f"attempt of {context.aws_request_id} at mongodb://me:secret@host/")
"""

CALM = AtlasSpec(members=1, tls=False, auth="none")


def function(folder: Path, source: str, *loads: str, payload: bytes = b"{}", **fields: object) -> LoadedFunction:
    folder.mkdir(exist_ok=True)
    (folder / "app.py").write_text(source)
    spec = FunctionSpec(
        folder.name,
        folder,
        environment={"MONGODB_URI": URI, "DATABASE": f"{URI}&retryReads=false"},
        timeout_seconds=30,
        **fields,  # type: ignore[arg-type]
    )
    return LoadedFunction(spec, tuple(map(parse_load, loads)), payload)


def run(*functions: LoadedFunction, cluster: AtlasSpec = CALM) -> ExperimentResult:
    scenario = Scenario("test", "A test", functions, cluster, "warmline lab run --function app.lambda_handler")
    progress: list[float] = []
    result = asyncio.run(run_scenario(scenario, RunOptions(), lambda _, done: progress.append(done)))
    assert progress == sorted(progress)
    return result


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    folder = tmp_path_factory.mktemp("functions")
    return run(
        function(folder / "kept", KEPT, "burst:3", "callers:1 for 1s at 3s", reserved_concurrency=3),
        function(folder / "wasteful", PER_INVOCATION, "callers:1 for 2s"),
        cluster=AtlasSpec(members=1, tier="M10"),
    )


def test_a_client_that_is_kept_is_told_from_one_that_is_not(two: ExperimentResult) -> None:
    kept, wasteful = two.variants["kept"], two.variants["wasteful"]
    # An operation's and the monitor's.
    assert kept["connections_created"] == 2 * kept["environments"]
    assert kept["connections_per_environment"] == 2
    assert wasteful["connections_created"] >= 2 * wasteful["invocations"]
    assert wasteful["connections_at_rest"] == 0
    first, second = two.answer.split(". ")
    assert first.startswith("kept answered all")
    assert "reused its client" in first
    assert "gave them back when its environments ended" in first
    assert "did not reuse its client" in second


def test_the_peak_is_told_as_a_share_of_the_tiers_limit(two: ExperimentResult) -> None:
    kept = two.variants["kept"]
    assert kept["peak_percent_of_limit"] == pytest.approx(100 * kept["peak_connections"] / 1500)
    assert "% of what M10 takes" in two.answer
    assert "peak_percent_of_limit" in [metric.name for metric in two.metrics]


def test_each_function_has_its_own_connections_over_time(two: ExperimentResult) -> None:
    assert [(series.variant, series.node) for series in two.connections] == [
        ("kept", "primary"),
        ("wasteful", "primary"),
    ]
    assert [max(series.counts) for series in two.connections] == [
        metrics["peak_connections"] for metrics in two.variants.values()
    ]
    assert all(series.counts[-1] == 0 for series in two.connections)


def test_the_events_are_the_load_and_the_end(two: ExperimentResult) -> None:
    assert [event.label for event in two.events["kept"]] == ["load", "end"]


def test_what_was_run_is_among_the_parameters(two: ExperimentResult) -> None:
    assert two.parameters["kept_load"] == "burst:3 + callers:1 for 1s at 3s"
    assert two.parameters["kept_concurrency"] == 3
    assert two.parameters["tier"] == "M10"


def test_failures_are_counted_by_their_message_without_a_login(tmp_path: Path) -> None:
    result = run(function(tmp_path / "app", IDLE, "callers:2 for 300ms", payload=b'{"fails": true}'))
    metrics = result.variants["app"]
    (failure,) = [metric for metric in result.metrics if metric.group]
    assert metrics[failure.name] == metrics["failed_invocations"] == metrics["invocations"]
    assert failure.label.startswith("ValueError: attempt of ")
    assert failure.label.endswith("at mongodb://***@host/")
    assert "app answered 0 of" in result.answer


def test_a_function_that_connects_to_nothing_is_asked_for_its_variable(tmp_path: Path) -> None:
    result = run(function(tmp_path / "app", IDLE, "burst:3", payload=b'{"fails": false}', reserved_concurrency=1))
    assert result.variants["app"]["throttled_invocations"] == 2
    assert result.answer == (
        "app answered 1 of 3 invocations (2 were throttled at its concurrency) and opened no connection to the cluster."
    )
    assert "app has connected to nothing here: does it read the connection string in MONGODB_URI?" in result.notes


def test_connections_of_killed_environments_are_told_of(tmp_path: Path) -> None:
    result = run(function(tmp_path / "app", DOCUMENTED, "burst:2"))
    assert result.variants["app"]["environments_killed"] == 2
    assert "left them open in 2 of 2 environments that ended" in result.answer
    assert any("the server keeps them until keepalive gives up" in note for note in result.notes)


def test_a_handler_that_is_not_there_is_one_line_before_any_load(tmp_path: Path) -> None:
    with pytest.raises(InitFailed, match=r"Init of app failed: .*No module named 'nowhere'") as caught:
        run(function(tmp_path / "app", "import nowhere\n", "burst:3"))
    assert "trial" not in str(caught.value)


def test_a_pymongo_of_the_functions_own_needs_an_interpreter_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "app" / "pymongo").mkdir(parents=True)
    with pytest.raises(UnusableFunction, match=r"has a PyMongo of its own.*--start exec"):
        run(function(tmp_path / "app", IDLE, "burst:3"))
