from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytest_plugins = ["pytester"]

# What users have: a handler, and tests in another folder.
HANDLERS = """
import os
import time

from pymongo import MongoClient
from warmline import connect, handler

orders = connect()["shop"]["orders"]


@handler
def lambda_handler(event, context):
    return orders.find_one({"_id": event["id"]})


def per_invocation(event, context):
    return MongoClient(os.environ["MONGODB_URI"])["shop"]["orders"].find_one({"_id": event["id"]})


def misbehaving(event, context):
    match event["do"]:
        case "sleep":
            time.sleep(60)
        case "raise":
            print("about to")
            raise ValueError("no such order")
        case "end":
            os._exit(3)
"""

RENAMED = """
import os

from pymongo import MongoClient

client = MongoClient(os.environ["MONGODB_URI"], appName="renamed")


def lambda_handler(event, context):
    return client["shop"]["orders"].find_one()
"""

TESTS = """
import time

import pytest

from warmline.testing import Connections, Fleet, LambdaLab, MongoCluster, Result
from warmline.testing.errors import InvocationFailed, UnknownClients


@pytest.fixture(scope="module", autouse=True)
def documents(mongo_cluster: MongoCluster):
    mongo_cluster.client["shop"]["orders"].insert_many([{"_id": number, "total": 3} for number in range(10)])


@pytest.fixture(scope="module")
def fleet(lambda_lab: LambdaLab):
    with lambda_lab.deploy("app.lambda_handler", code="functions", environments=4, timeout_seconds=20) as fleet:
        yield fleet


def test_environments_hold_four_connections_each(fleet: Fleet) -> None:
    results = fleet.invoke_many({"id": number} for number in range(10))
    assert [result.value for result in results] == [{"_id": number, "total": 3} for number in range(10)]
    assert sum(result.cold for result in results) == 4
    assert {result.environment for result in results} == {result.environment for result in results if result.cold}
    fleet.freeze()
    assert fleet.states == {"frozen": 4}
    assert fleet.connections == Connections(primary=8, secondaries=(4, 4))
    assert fleet.connections.total == fleet.connections_created == 16
    assert fleet.peak == Connections(primary=8, secondaries=(4, 4))


def test_a_fixtures_fleet_outlives_the_tests(fleet: Fleet) -> None:
    assert fleet.states == {"frozen": 4}
    assert not fleet.invoke({"id": 1}).cold


def test_a_freeze_takes_its_time_and_the_next_invocation_finds_what_happened_meanwhile(
    fleet: Fleet, mongo_cluster: MongoCluster
) -> None:
    began = time.monotonic()
    fleet.freeze(seconds=0.3)
    assert time.monotonic() - began >= 0.3
    mongo_cluster.restart_primary()
    assert fleet.invoke({"id": 1}).value == {"_id": 1, "total": 3}


def test_a_shutdown_leaves_no_connections_and_the_next_invocation_is_cold(fleet: Fleet) -> None:
    endings = fleet.shutdown()
    assert [ending.killed_after_ms for ending in endings] == [None] * 4
    assert fleet.states == {}
    assert fleet.connections.total == 0
    assert fleet.invoke({"id": 1}).cold
    (killed,) = fleet.kill()
    assert killed.exit_code == -9
    assert fleet.connections.total == 0


def test_a_client_per_invocation_is_seen_though_it_is_gone(lambda_lab: LambdaLab) -> None:
    fleet = lambda_lab.deploy("app.per_invocation", code="functions", timeout_seconds=20)
    assert all(result.ok for result in fleet.invoke_many([{"id": 1}] * 5))
    # Monitors of those that were not looked at in time never connected.
    assert fleet.connections_created >= 10
    assert fleet.peak.primary >= 1


def test_what_a_test_deployed_ended_with_it(lambda_lab: LambdaLab) -> None:
    assert not [each for each in lambda_lab.service.environments() if each.function.handler == "app.per_invocation"]


def test_failures_are_results(lambda_lab: LambdaLab) -> None:
    fleet = lambda_lab.deploy("app.misbehaving", code="functions", timeout_seconds=1.0)
    fleet.invoke({"do": "nothing"})
    slow, wrong, ended = fleet.invoke_many([{"do": "sleep"}, {"do": "raise"}, {"do": "end"}])
    assert slow.timed_out and not slow.ok
    assert (wrong.error_type, wrong.error_message) == ("ValueError", "no such order")
    assert "about to" in wrong.log
    assert ended.error_type == "Runtime.ExitError"
    with pytest.raises(InvocationFailed, match="the invocation failed with ValueError: no such order"):
        wrong.value


def test_a_throttle_is_a_result(lambda_lab: LambdaLab) -> None:
    fleet = lambda_lab.deploy(
        "app.lambda_handler", code="functions", environments=3, reserved_concurrency=1, timeout_seconds=20
    )
    results = fleet.invoke_many([{"id": 1}] * 3)
    assert [result.throttled for result in results] == [False, True, True]
    assert results[0].ok and not results[1].ok
    assert fleet.states == {"frozen": 1}


def test_a_client_of_another_name_is_not_counted_as_none(lambda_lab: LambdaLab) -> None:
    fleet = lambda_lab.deploy("renamed.lambda_handler", code="functions", timeout_seconds=20)
    assert fleet.connections.total == 0
    assert fleet.invoke().ok
    for what in ("connections", "peak", "connections_created"):
        with pytest.raises(UnknownClients, match="some of 'renamed': have .* MONGODB_URI as it is, or .*app_name="):
            getattr(fleet, what)
    fleet = lambda_lab.deploy("renamed.lambda_handler", code="functions", timeout_seconds=20, app_name="renamed")
    assert fleet.invoke().ok
    assert fleet.connections.primary > 0


def test_the_variables_are_the_users(lambda_lab: LambdaLab) -> None:
    fleet = lambda_lab.deploy("app.lambda_handler", code="functions", environment={"MONGODB_URI": "mongodb://"})
    assert "MONGODB_URI" in fleet.invoke({"id": 1}).error_message
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    # As on a user's machine: coverage of these runs is nobody's.
    for name in ("COV_CORE_SOURCE", "COV_CORE_CONFIG", "COV_CORE_DATAFILE"):
        monkeypatch.delenv(name, raising=False)
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    functions = pytester.mkdir("functions")
    functions.joinpath("app.py").write_text(HANDLERS)
    functions.joinpath("renamed.py").write_text(RENAMED)
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider", "-rs", *arguments)


def test_a_users_tests_get_a_cluster_and_a_lab(project: pytest.Pytester) -> None:
    project.makepyfile(test_app=TESTS)
    run(project).assert_outcomes(passed=TESTS.count("\ndef test_"))


ONE_MEMBER = """
import pytest
from warmline.lab.cluster import ClusterSpec


@pytest.fixture(scope="session")
def mongo_cluster_spec():
    return ClusterSpec(members=1)
"""


def test_the_pages_example_passes_as_it_is(project: pytest.Pytester) -> None:
    example = ROOT / "examples" / "orders"
    shutil.copytree(example, project.path, dirs_exist_ok=True)
    run(project).assert_outcomes(passed=3)
    code = (example / "test_app.py").read_text()
    assert f"```python\n{code[code.index('import pytest') :]}```" in (ROOT / "docs" / "testing.md").read_text()


def test_each_worker_of_xdist_has_a_lab_of_its_own(project: pytest.Pytester) -> None:
    project.makeconftest(ONE_MEMBER)
    test = """
    from pathlib import Path

    def test(lambda_lab, mongo_cluster, worker_id):
        fleet = lambda_lab.deploy("app.lambda_handler", code="functions", timeout_seconds=20)
        assert fleet.invoke({"id": 1}).value is None
        assert (fleet.connections.primary, fleet.connections.secondaries) == (2, ())
        Path(worker_id).write_text(str(mongo_cluster.client.address))
    """
    project.makepyfile(test_one=test, test_two=test)
    run(project, "-n", "2", "--dist", "loadfile").assert_outcomes(passed=2)
    addresses = {(project.path / worker).read_text() for worker in ("gw0", "gw1")}
    assert len(addresses) == 2


def test_without_a_mongod_the_tests_are_skipped_and_say_why(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WARMLINE_MONGOD", raising=False)
    monkeypatch.setenv("PATH", str(project.path))
    # In the place of the wheel that brings one.
    project.mkdir("fiftyone").joinpath("__init__.py").touch()
    project.makeini("[pytest]\npythonpath = .\n")
    project.makepyfile("def test(lambda_lab): ...", test_plain="def test(): ...")
    result = run(project)
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines("*SKIPPED*: no mongod found for *: pip install 'warmline[[]lab[]]' brings one*")


def test_a_mongod_that_was_named_and_is_not_there_is_an_error(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARMLINE_MONGOD", str(project.path / "mongod"))
    project.makepyfile("def test(mongo_cluster): ...")
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*MongodNotFound: no mongod at *: WARMLINE_MONGOD must be the path*")


def test_without_the_labs_packages_the_tests_are_skipped_and_say_what_to_install(project: pytest.Pytester) -> None:
    project.makeconftest("import sys; sys.modules['aiohttp'] = None")
    project.makepyfile("def test(mongo_cluster): ...")
    result = run(project)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        "*SKIPPED*: the lab needs aiohttp, which is not installed: pip install 'warmline[[]lab[]]'"
    )


def test_a_handler_that_is_not_there_is_named_before_anything_starts(project: pytest.Pytester) -> None:
    project.makeconftest(ONE_MEMBER)
    project.makepyfile("def test(lambda_lab): lambda_lab.deploy('app.lambda_handler')")
    run(project).stdout.fnmatch_lines("*no module 'app' in * for the handler 'app.lambda_handler': name the folder *")


def test_a_run_without_a_lab_loads_nothing_of_it(project: pytest.Pytester) -> None:
    project.makepyfile("""
    import sys

    def test():
        rooms = {name.split(".")[1] for name in sys.modules if name.startswith("warmline.")}
        assert rooms == {"runtime", "testing"}
        assert not {"pymongo", "bson", "aiohttp"} & set(sys.modules)
    """)
    run(project).assert_outcomes(passed=1)


def test_the_names_for_annotations_are_there() -> None:
    import warmline.testing

    for name in warmline.testing.__all__:
        assert getattr(warmline.testing, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'Flett'"):
        warmline.testing.Flett  # noqa: B018
