from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from warmline.lab.cluster import Users, replica_set
from warmline.lab.cluster import users as users_module
from warmline.lab.experiments import ExperimentResult, RunOptions
from warmline.lab.experiments.limit_hosts import EXPERIMENT, FACES
from warmline.report.document import to_json
from warmline.report.page import to_page


@pytest.fixture(scope="module")
def passwords() -> Iterator[list[str]]:
    """
    Those of the users of the clusters that are started from now on.
    """
    made: list[str] = []

    def new_users() -> Users:
        users = users_module.new_users()
        made.extend([users.application.password, users.monitoring.password, users.admin.password])
        return users

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replica_set, "new_users", new_users)
        yield made


@pytest.fixture(scope="module")
def result(passwords: list[str]) -> ExperimentResult:
    return asyncio.run(EXPERIMENT.run(RunOptions(environments=2), lambda *_: None))


@pytest.mark.parametrize("variant", ["srvMaxHosts-3", "warmline"])
def test_three_hosts_mean_a_monitor_each_and_connections_to_those_that_were_near_enough(
    variant: str, result: ExperimentResult
) -> None:
    assert result.variants[variant]["hosts"] == 3
    assert 3 < result.variants[variant]["sockets"] <= 6


def test_all_hosts_mean_ten_times_as_many(result: ExperimentResult) -> None:
    assert result.variants["all-hosts"]["hosts"] == FACES
    assert FACES < result.variants["all-hosts"]["sockets"] <= 2 * FACES


def test_the_limit_does_not_work_on_a_replica_set_and_the_error_is_shown(result: ExperimentResult) -> None:
    assert any("You cannot specify replicaSet with srvMaxHosts" in note for note in result.notes)


def test_no_invocation_fails(result: ExperimentResult) -> None:
    assert [metrics["errors"] for metrics in result.variants.values()] == [0, 0, 0]


def test_neither_the_document_nor_the_page_holds_a_password(result: ExperimentResult, passwords: list[str]) -> None:
    assert passwords
    assert [
        text[:80] for text in (to_json(result), to_page(result)) if any(password in text for password in passwords)
    ] == []
