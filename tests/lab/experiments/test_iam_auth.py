from __future__ import annotations

import asyncio
import json

import pytest

from warmline.lab.aws import InvokeResult
from warmline.lab.experiments import ExperimentResult, RunOptions
from warmline.lab.experiments.iam_auth import EXPERIMENT, METRICS
from warmline.lab.experiments.iam_auth.logins import Outcome, answer

REFUSED, WORKS = Outcome.REFUSED, Outcome.WORKS


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    return asyncio.run(EXPERIMENT.run(RunOptions(environments=1), lambda *_: None))


def outcomes(result: ExperimentResult, metric: str) -> list[float | None]:
    return [result.variants[name].get(metric) for name in ("password", "documented", "warmline")]


def test_a_copied_string_with_a_password_is_all_that_a_thief_needs(result: ExperimentResult) -> None:
    assert outcomes(result, "stolen_string") == [WORKS, REFUSED, REFUSED]


def test_a_roles_copied_keys_work_until_their_session_ends_and_a_password_for_ever(result: ExperimentResult) -> None:
    assert outcomes(result, "stolen_environment") == [WORKS, WORKS, WORKS]
    assert outcomes(result, "stolen_later") == [WORKS, REFUSED, REFUSED]


def test_a_role_needs_no_deployment_when_credentials_change(result: ExperimentResult) -> None:
    assert outcomes(result, "same_environment") == [REFUSED, REFUSED, REFUSED]
    assert outcomes(result, "new_environment") == [REFUSED, WORKS, WORKS]
    assert outcomes(result, "same_environment_endpoint") == [None, REFUSED, WORKS]


def test_an_environment_logs_in_once_since_monitors_do_not(result: ExperimentResult) -> None:
    for metrics in result.variants.values():
        assert metrics["logins"] == 1
        assert 2 < metrics["connections"] <= 4
    assert outcomes(result, "sts_environments") == [None, 600, 600]


def test_only_mongodbs_example_loads_aws_sdk(result: ExperimentResult) -> None:
    assert outcomes(result, "sdk") == [False, True, False]


def test_nothing_else_fails_and_every_metric_is_known(result: ExperimentResult) -> None:
    names = {metric.name for metric in METRICS}
    for metrics in result.variants.values():
        assert metrics["errors"] == 0
        assert metrics.keys() <= names


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, Outcome.WORKS),
        ("bad auth : aws sts call has response 403", Outcome.REFUSED),
        ("Authentication failed.", Outcome.REFUSED),
        ("No servers found yet", Outcome.FAILED),
    ],
)
def test_a_refusal_is_told_from_other_failures(error: str | None, outcome: Outcome) -> None:
    payload = json.dumps({"milliseconds": [], "error": error, "sdk": False}).encode()
    assert answer(InvokeResult("", payload, None, "$LATEST", 1, 1, None, "", "")).outcome is outcome


def test_who_gives_no_answer_has_failed() -> None:
    assert answer(InvokeResult("", b"{}", "Unhandled", "$LATEST", 1, 1, None, "", "")).outcome is Outcome.FAILED
