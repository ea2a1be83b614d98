from __future__ import annotations

import asyncio
import dataclasses

import pytest

from warmline.lab.experiments import ExperimentResult, RunOptions, access_list
from warmline.lab.experiments.access_list import CASES, EXPERIMENT, METRICS, VARIANTS

ENVIRONMENTS = 2


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    # PyMongo's default is thirty seconds; what counts is that it is longer than Lambda's timeout.
    hurried = [
        dataclasses.replace(variant, options="serverSelectionTimeoutMS=4000") if variant.name == "patient" else variant
        for variant in VARIANTS
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access_list, "VARIANTS", tuple(hurried))
        return asyncio.run(EXPERIMENT.run(RunOptions(environments=ENVIRONMENTS), lambda *_: None))


@pytest.mark.parametrize("case", [case.name for case in CASES])
@pytest.mark.parametrize(
    ("variant", "told", "unnamed", "timed_out"),
    [
        ("documented", 0, 0, ENVIRONMENTS),
        ("patient", 0, ENVIRONMENTS, 0),
        ("warmline", ENVIRONMENTS, 0, 0),
    ],
)
def test_only_warmline_names_the_reason(
    result: ExperimentResult, case: str, variant: str, told: int, unnamed: int, timed_out: int
) -> None:
    metrics = result.variants[variant]
    names = ("reason_told", "reason_unnamed", "task_timed_out", "init_tells")
    assert [metrics[f"{name}_{case}"] for name in names] == [told, unnamed, timed_out, told]


def test_once_the_address_is_listed_all_are_served_and_only_who_timed_out_was_reset(
    result: ExperimentResult,
) -> None:
    served = {name: metrics["served_once_listed"] for name, metrics in result.variants.items()}
    reset = {name: metrics["environments_reset"] for name, metrics in result.variants.items()}
    assert served == {"documented": ENVIRONMENTS, "patient": ENVIRONMENTS, "warmline": ENVIRONMENTS}
    assert reset == {"documented": ENVIRONMENTS, "patient": 0, "warmline": 0}


def test_the_notes_have_what_the_errors_say(result: ExperimentResult) -> None:
    (listed, outside) = (note for note in result.notes if note.startswith("warmline, "))
    assert "TLSV1_ALERT_INTERNAL_ERROR" in listed
    assert listed.endswith("Atlas ends the TLS handshake of an address that is not listed so")
    assert "Next step: run the function in a subnet of the private endpoint's VPC" in outside


def test_every_metric_is_measured(result: ExperimentResult) -> None:
    names = {metric.name for metric in METRICS}
    assert all(metrics.keys() == names for metrics in result.variants.values())
