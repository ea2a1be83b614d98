from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from warmline.lab.aws import InvokeResult
from warmline.lab.errors import PackagesUnavailable
from warmline.lab.experiments import ExperimentResult, RunOptions
from warmline.lab.experiments.peers import EXPERIMENT, measure, packages
from warmline.lab.experiments.peers.measure import MALFORMED, UNREACHABLE, WORDS, _word
from warmline.lab.experiments.peers.packages import REQUIREMENTS, installed

# The run that all of the slow ones look at is the first one's.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def result() -> ExperimentResult:
    try:
        installed()
    except PackagesUnavailable as error:
        pytest.skip(str(error))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "ROUNDS", 3)
        return asyncio.run(EXPERIMENT.run(RunOptions(environments=2), lambda *_: None))


@pytest.mark.slow
def test_the_package_that_makes_a_client_in_each_invocation_connects_in_each(result: ExperimentResult) -> None:
    theirs = result.variants["actvalue-mongo-client"]
    assert theirs["created_per_invocation"] > 3
    assert theirs["readme_handler_fails"] == 1
    # What it has new with every invocation can't be dead after a freeze.
    assert theirs["thaw_failed_percent"] == 0


@pytest.mark.slow
def test_a_client_of_the_thread_is_kept_and_one_of_the_task_is_not(result: ExperimentResult) -> None:
    kept, new = result.variants["mdb-singleton"], result.variants["mdb-singleton-async"]
    assert kept["created_per_invocation"] == pytest.approx(4 / 3)
    assert new["created_per_invocation"] > 2
    assert WORDS[int(kept["malformed_uri"])] == "another error"


@pytest.mark.slow
def test_warmline_does_not_fail_and_says_what_is_wrong(result: ExperimentResult) -> None:
    ours = result.variants["warmline"]
    assert (ours["errors_percent"], ours["thaw_failed_percent"], ours["ended_by_itself_percent"]) == (0, 0, 100)
    assert (ours["primary_connections_per_environment"], ours["secondary_connections_per_environment"]) == (2, 1)
    assert [WORDS[int(ours[name])] for name in ("malformed_uri", "unreachable_uri")] == [
        "the cause, at Init",
        "the cause, when invoked",
    ]


@pytest.mark.slow
def test_the_driver_alone_waits_for_dead_connections_until_lambda_ends_it(result: ExperimentResult) -> None:
    documented = result.variants["documented"]
    assert documented["thaw_failed_percent"] == 100
    assert documented["ended_by_itself_percent"] == 0
    assert WORDS[int(documented["unreachable_uri"])] == "Task timed out"


def answer(kind: str | None, message: str = "", request_id: str = "") -> InvokeResult:
    error = {"errorType": kind, "errorMessage": message, "requestId": request_id}
    payload = json.dumps(error if kind else {}).encode()
    return InvokeResult("id", payload, "Unhandled" if kind else None, "$LATEST", 1, 1, None, "environment", "")


@pytest.mark.parametrize(
    ("result", "uri", "word"),
    [
        (answer("InvalidURI", "Invalid URI scheme"), MALFORMED, "the cause, at Init"),
        (answer("InvalidURI", "Invalid URI scheme", "id"), MALFORMED, "the cause, when invoked"),
        (answer("AttributeError", "no attribute 'client'", "id"), MALFORMED, "another error"),
        (answer("AutoReconnect", "127.0.0.1:1: refused", "id"), UNREACHABLE, "the cause, when invoked"),
        (answer("Sandbox.Timedout", "Task timed out"), UNREACHABLE, "Task timed out"),
        (answer(None), UNREACHABLE, "no error"),
    ],
)
def test_an_error_is_judged_by_whether_it_names_the_cause(result: InvokeResult, uri: str, word: str) -> None:
    assert WORDS[_word(result, uri)] == word


def test_without_a_package_index_one_line_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name, value in {"INDEX_URL": f"file://{tmp_path}/none", "RETRIES": "0", "CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    message = "can't install actvalue.mongo-client 2.0.0 and mdb-singleton 0.1.1, .*: it takes pip, and once a network"
    with pytest.raises(PackagesUnavailable, match=message) as caught:
        installed()
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "warmline").iterdir()) == []


def test_they_are_installed_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def install(directory: Path) -> Path:
        target = directory / "packages"
        target.mkdir()
        return target

    monkeypatch.setattr(packages, "_install", install)
    folder = installed()
    monkeypatch.delattr(packages, "_install")
    assert installed() == folder


def test_every_package_has_one_version_and_a_hash() -> None:
    for line in REQUIREMENTS.splitlines():
        assert "==" in line
        assert "--hash=sha256:" in line
