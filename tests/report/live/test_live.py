"""
What is seen while a run goes on. The counters are real; the bench that has them is put together here.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from rich.console import Console

from warmline.lab.aws import Counters, State
from warmline.lab.measure import ConnectionSample
from warmline.report.live import LiveView
from warmline.report.live.panel import panel
from warmline.report.live.watch import NodeNow, Snapshot, Watch


@dataclass
class Service:
    counters: Counters = field(default_factory=Counters)
    counts: dict[State, int] = field(default_factory=dict)

    def states(self) -> Mapping[State, int]:
        return self.counts


@dataclass
class Sampler:
    latest: dict[str, ConnectionSample] = field(default_factory=dict)


@dataclass
class Bench:
    service: Service = field(default_factory=Service)
    sampler: Sampler = field(default_factory=Sampler)
    nodes: dict[str, str] = field(default_factory=lambda: {"n1": "primary", "n2": "secondary 1"})
    limit: int | None = None


def sample(node: str, **by_app: int) -> ConnectionSample:
    return ConnectionSample(0.0, node, by_app, 99, 99)


def watched(bench: Bench) -> Watch:
    return Watch(cast("Any", bench))


def text_of(renderable: Any, width: int = 100) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(renderable)
    return out.getvalue()


def test_a_snapshot_adds_up_what_all_functions_hold_on_a_node() -> None:
    bench = Bench(limit=1500)
    bench.sampler.latest = {"n1": sample("n1", orders=40, users=2)}
    bench.service.counts = {State.BUSY: 3, State.FROZEN: 17}
    bench.service.counters = Counters(invocations=7, errors=2, throttles=1)
    snapshot = watched(bench).now()
    assert snapshot.nodes == (NodeNow("primary", 42, 1500), NodeNow("secondary 1", None, 1500))
    assert snapshot.states == {"busy": 3, "frozen": 17}
    assert (snapshot.invocations, snapshot.errors, snapshot.throttles) == (7, 2, 1)


def test_invocations_per_second_are_those_of_the_last_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    monkeypatch.setattr("warmline.report.live.watch.time.monotonic", lambda: next(clock))
    bench = Bench()
    watch = watched(bench)
    rates = []
    for total in (0, 100, 200, 200, 200, 200):
        bench.service.counters.invocations = total
        rates.append(watch.now().per_second)
    assert rates == [0, 100, 100, 50, 0, 0]


SNAPSHOT = Snapshot({"starting": 0, "busy": 4, "frozen": 16}, (NodeNow("primary", 1204, 1500),), 1234, 56.7, 2, 0)


def test_the_panel_shows_states_connections_against_the_limit_rate_and_errors() -> None:
    text = text_of(panel("warmline lab run storm", "warmline: the storm", 0.67, 83.2, SNAPSHOT))
    for expected in (
        "warmline lab run storm",
        "1:23",
        "67%",
        "20  busy 4  frozen 16",
        "1,204 of 1,500 connections",
        "1,234, 57/s",
        "errors 2",
    ):
        assert expected in text
    assert "starting" not in text
    assert "throttled" not in text


def test_a_node_that_is_down_says_so_and_one_without_a_limit_has_none() -> None:
    nodes = (NodeNow("primary", None, None), NodeNow("secondary 1", 8, None))
    text = text_of(panel("run", "doing", 0.1, 1, Snapshot({}, nodes, 0, 0.0, 0, 3)))
    assert "down" in text
    assert "8 connections" in text
    assert "throttled 3" in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = text_of(panel("warmline lab run storm", "a long phase " * 20, 0.67, 83.2, SNAPSHOT), width)
    assert max(map(len, text.splitlines())) <= width
    assert len(text.splitlines()) == 7


def test_elsewhere_than_on_a_terminal_a_phase_is_a_plain_line() -> None:
    out = io.StringIO()
    with LiveView("a run", Console(file=out)) as view:
        view.on_progress("starting the cluster", 0.0)
        view.on_bench(cast("Any", Bench()))
        view.on_progress("warmline: burst", 0.5)
        view.on_progress("warmline: burst", 0.6)
        view.on_bench(None)
    assert out.getvalue().splitlines() == ["  0:00    0%  starting the cluster", "  0:00   50%  warmline: burst"]


def test_a_terminal_is_as_it_was_when_the_run_is_over() -> None:
    out = io.StringIO()
    with LiveView("a run", Console(file=out, force_terminal=True, width=80)) as view:
        view.on_bench(cast("Any", Bench()))
        view.on_progress("warmline: burst", 0.5)
        assert "\x1b[?25l" in out.getvalue()
    assert "\x1b[?25h" in out.getvalue()
    assert "\n" not in out.getvalue().rpartition("\x1b[?25h")[2]
