from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from warmline.cli.app import app
from warmline.lab.errors import ClusterStartError
from warmline.lab.experiments import Experiment, ExperimentResult, OnProgress, RunOptions

from ..report.results import reuse_client


def experiment(name: str, fault: Callable[[], Exception] | None = None) -> Experiment:
    async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
        on_progress("measuring", 0.5)
        if fault is not None:
            raise fault()
        return dataclasses.replace(reuse_client(), experiment=name, parameters={"environments": options.environments})

    return Experiment(name, "what it compares", run, environments=7)


@pytest.fixture
def run_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    def run_all(*experiments: Experiment, options: tuple[str, ...] = ()) -> Result:
        monkeypatch.setattr("warmline.cli.lab_all.EXPERIMENTS", experiments)
        return CliRunner().invoke(app, ["lab", "run-all", "--output", str(tmp_path / "out"), *options])

    return run_all


def test_every_experiment_leaves_a_page_and_json_and_an_index_leads_to_them(
    run_all: Callable[..., Result], tmp_path: Path
) -> None:
    result = run_all(experiment("storm"), experiment("thaw"))
    assert result.exit_code == 0, result.output
    index = (tmp_path / "out" / "index.html").read_text()
    for name in ("storm", "thaw"):
        assert f'href="{name}.html"' in index
        assert f'href="{name}.json"' in index
        assert "<!doctype html>" in (tmp_path / "out" / f"{name}.html").read_text()
        document = json.loads((tmp_path / "out" / f"{name}.json").read_text())
        assert document["parameters"] == {"environments": 7}
        assert document["date"]
        assert document["seconds"] >= 0
    assert "retry-politely" in index
    assert "all 2 experiments" in result.stderr


def test_one_that_fails_keeps_no_other_from_being_run(run_all: Callable[..., Result], tmp_path: Path) -> None:
    result = run_all(
        experiment("storm", lambda: ClusterStartError("no server today")),
        experiment("thaw", lambda: ZeroDivisionError("a fault of our own")),
        experiment("deadline"),
    )
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "warmline: 2 of 3 failed: storm, thaw"
    out = tmp_path / "out"
    assert (out / "deadline.json").exists()
    assert not (out / "storm.json").exists()
    index = (out / "index.html").read_text()
    assert "no server today" in index
    assert "ZeroDivisionError: a fault of our own" in index
    assert "Traceback" in (out / "thaw.log").read_text()


def test_what_an_earlier_run_left_does_not_pass_for_this_ones(run_all: Callable[..., Result], tmp_path: Path) -> None:
    run_all(experiment("storm"))
    run_all(experiment("storm", lambda: ClusterStartError("no server today")))
    assert not (tmp_path / "out" / "storm.html").exists()


def test_the_number_of_environments_can_be_chosen_for_all(run_all: Callable[..., Result], tmp_path: Path) -> None:
    run_all(experiment("storm"), options=("--environments", "3"))
    assert json.loads((tmp_path / "out" / "storm.json").read_text())["parameters"] == {"environments": 3}


def test_a_folder_that_can_not_be_written_is_one_line() -> None:
    result = CliRunner().invoke(app, ["lab", "run-all", "--output", "/proc/out"])
    assert result.exit_code == 2
    assert "can't write to /proc/out" in result.stderr
    assert len(result.stderr.splitlines()) == 1
