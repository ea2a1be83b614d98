from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from pymongo.errors import OperationFailure
from pymongo.monitoring import ConnectionPoolListener

import warmline
from warmline import InvocationMetrics, connect, connect_async, handler, invocation, on_metrics
from warmline.lab.cluster import Cluster
from warmline.runtime import snapstart, thaw
from warmline.runtime.metrics.counts import Process
from warmline.runtime.metrics.pools import PoolListener

OFF = """
import sys
from warmline import connect, handler
client = connect({uri!r})
@handler
def lambda_handler(event, context):
    return client.admin.command("ping")["ok"]
assert lambda_handler({{}}, None) == 1
assert not client.options.event_listeners
print([name for name in sys.modules if name.startswith("warmline.runtime.metrics")])
"""


@pytest.fixture
def got() -> list[InvocationMetrics]:
    """
    What a callback is given.
    """
    got: list[InvocationMetrics] = []
    on_metrics(got.append)
    return got


@pytest.mark.parametrize("variables", [{}, {"WARMLINE_METRICS": "off"}])
def test_off_nothing_of_them_is_loaded_and_nothing_listens(variables: dict[str, str], single: Cluster) -> None:
    command = [sys.executable, "-c", OFF.format(uri=single.uri)]
    done = subprocess.run(command, env=variables, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_callback_gets_each_invocation_and_the_first_includes_init(
    got: list[InvocationMetrics], single: Cluster
) -> None:
    client = connect(single.uri)
    client.admin.command("ping")

    @handler
    def lambda_handler(event: object, context: object) -> object:
        return client.admin.command("ping")["ok"]

    lambda_handler({}, None)
    lambda_handler({}, None)
    assert [(metrics.connections_created, metrics.checkouts) for metrics in got] == [(1, 2), (0, 1)]


def test_an_invocation_that_fails_has_metrics_too(got: list[InvocationMetrics], single: Cluster) -> None:
    client = connect(single.uri)
    with pytest.raises(OperationFailure), invocation(None):
        client.admin.command("nonsense")
    assert [metrics.checkouts for metrics in got] == [1]


def test_a_block_within_an_invocation_is_no_end_of_it(got: list[InvocationMetrics], single: Cluster) -> None:
    client = connect(single.uri)

    @handler
    def lambda_handler(event: object, context: object) -> None:
        with invocation(context):
            client.admin.command("ping")
        client.admin.command("ping")

    lambda_handler({}, None)
    assert [metrics.checkouts for metrics in got] == [2]


def test_an_asynchronous_handler_has_metrics_too(got: list[InvocationMetrics], single: Cluster) -> None:
    client = connect_async(single.uri)

    @handler
    async def lambda_handler(event: object, context: object) -> object:
        return (await client.admin.command("ping"))["ok"]

    assert lambda_handler({}, None) == 1
    assert lambda_handler({}, None) == 1
    assert [(metrics.connections_created, metrics.checkouts) for metrics in got] == [(1, 1), (0, 1)]


@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.usefixtures("got", "on_lambda")
def test_the_functions_own_listeners_stay_and_hear_first(kind: Callable[..., Any], single: Cluster) -> None:
    own = PoolListener(Process())
    given = kind([own])
    client = connect(single.uri, event_listeners=given)
    pools: list[Any] = [each for each in client.options.event_listeners if isinstance(each, ConnectionPoolListener)]
    assert [type(each).__name__ for each in pools] == ["PoolListener", "Watch", "PoolListener"]
    assert pools[0] is own
    assert list(given) == [own]


def test_listeners_that_pymongo_refuses_are_still_refused(single: Cluster) -> None:
    with pytest.raises(warmline.InvalidOptionError, match="event_listeners"):
        connect(single.uri, event_listeners=PoolListener(Process()))


@pytest.mark.usefixtures("on_lambda")
def test_connections_that_a_freeze_has_outlived_are_a_thaw(got: list[InvocationMetrics], single: Cluster) -> None:
    client = connect(single.uri)
    with invocation(None):
        client.admin.command("ping")
    thaw._freeze.awake_at = time.time() - 120
    with invocation(None):
        client.admin.command("ping")
    first, second = got
    assert (first.thaws, second.thaws) == (0, 1)
    assert second.connections_closed["stale"] == first.connections_open
    assert second.connections_open >= 1


@pytest.mark.usefixtures("on_lambda")
def test_what_led_to_a_snapshot_is_not_counted_in_what_is_restored_from_it(
    got: list[InvocationMetrics], single: Cluster
) -> None:
    client = connect(single.uri)
    snapstart.before_snapshot()
    snapstart.after_restore()
    with invocation(None):
        client.admin.command("ping")
    assert (got[0].connections_created, got[0].connections_closed, got[0].connections_open) == (1, {}, 1)


def test_a_callback_that_comes_too_late_is_told_so(single: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    connect(single.uri)
    on_metrics(print)
    assert "on_metrics() came after connect()" in caplog.text


def test_with_emf_a_callback_is_never_too_late(
    single: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("WARMLINE_METRICS", "emf")
    client = connect(single.uri)
    got: list[InvocationMetrics] = []
    on_metrics(got.append)
    with invocation(None):
        client.admin.command("ping")
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["Checkouts"] == got[0].checkouts == 1
    assert caplog.text == ""


def test_no_secret_of_the_uri_gets_into_metrics(
    got: list[InvocationMetrics], single: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WARMLINE_METRICS", "emf")
    uri = single.uri.replace("mongodb://", "mongodb://canaryuser:canarypassword@")
    client = connect(uri)
    with pytest.raises(OperationFailure), invocation(None):
        client.admin.command("ping")
    assert got[0].checkouts_failed == {"connectionError": 1}
    assert "canary" not in repr(got) + capsys.readouterr().out
