from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from warmline.facts import PRACTICES, Filled, Practice
from warmline.facts.figures import FOLDER, costs, measured
from warmline.facts.practices import UnknownPracticeError, practices_of
from warmline.lab.experiments import EXPERIMENTS

MEASURED = [practice for practice in PRACTICES if isinstance(practice.experiment, Filled)]
_HOW = "run `warmline lab run NAME --json build/experiments/NAME.json`, then `make figures`"
FILES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("practice", MEASURED, ids=lambda practice: practice.id)
def test_a_practice_with_an_experiment_has_its_figures(practice: Practice) -> None:
    assert isinstance(practice.experiment, Filled)
    there = tuple(run.experiment for run in costs(practice.id))
    assert there == practice.experiment.names, _HOW


def test_there_are_figures_of_experiments_only() -> None:
    assert {path.stem for path in FILES} <= {experiment.name for experiment in EXPERIMENTS}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_figures_say_what_came_out_where_and_when_and_nothing_over_time(path: Path) -> None:
    run = measured(path.stem)
    assert run is not None
    assert run.experiment == path.stem
    assert run.answer.endswith(".")
    assert run.seconds > 0
    assert re.fullmatch(
        r"\d+ cores, \d+ GiB, \w+ on \w+, Python 3\.[\d.]+, PyMongo [\d.]+, mongod [\d.]+, \d{4}-\d\d-\d\d", run.where
    )
    assert {"series", "environments", "latencies", "events"}.isdisjoint(json.loads(path.read_text()))


def test_an_experiment_that_was_never_run_has_none() -> None:
    assert measured("no-such-experiment") is None


def test_a_practice_that_is_not_measured_has_no_costs() -> None:
    assert costs("sts-region") == ()
    with pytest.raises(UnknownPracticeError):
        costs("nonsense")


def test_the_practices_of_an_experiment_are_those_that_name_it() -> None:
    assert "retry-politely" in [practice.id for practice in practices_of("storm")]
    assert practices_of("nonsense") == ()
