from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest
from pymongo import MongoClient

from warmline.lab.cluster import Cluster
from warmline.runtime.metrics import switch
from warmline.runtime.metrics.counts import PROCESS
from warmline.runtime.metrics.snapshot import InvocationMetrics


@pytest.mark.parametrize("value", [None, "", "off", "OFF "])
def test_off_nothing_listens_and_nothing_is_printed(
    value: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if value is not None:
        monkeypatch.setenv("WARMLINE_METRICS", value)
    assert switch.listeners() == ()
    switch.flush(None)
    assert capsys.readouterr().out == ""


def test_a_value_that_is_none_of_ours_is_one_warning_and_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WARMLINE_METRICS", "statsd")
    assert switch.listeners() == ()
    assert [record.message for record in caplog.records] == [
        "warmline: metrics are off: WARMLINE_METRICS is 'statsd'; use emf, otel or off"
    ]


def test_emf_is_one_line_for_each_invocation(
    single: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WARMLINE_METRICS", "emf")
    with MongoClient[dict[str, Any]](single.uri, event_listeners=switch.listeners()) as client:
        for _ in range(2):
            client.admin.command("ping")
            switch.flush(None)
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["ConnectionsCreated"], first["Checkouts"], first["ConnectionsOpen"]) == (1, 1, 1)
    assert "ConnectionsCreated" not in second
    assert (second["Checkouts"], second["ConnectionsOpen"]) == (1, 1)


def test_a_callback_gets_what_happened_in_an_invocation(single: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    got: list[InvocationMetrics] = []

    @switch.on_metrics
    def keep(metrics: InvocationMetrics) -> None:
        got.append(metrics)

    with MongoClient[dict[str, Any]](single.uri, event_listeners=switch.listeners()) as client:
        client.admin.command("ping")
        switch.thawed()
        switch.flush(None)
        client.admin.command("ping")
        switch.flush(None)
    assert [(metrics.connections_created, metrics.checkouts, metrics.thaws) for metrics in got] == [
        (1, 1, 1),
        (0, 1, 0),
    ]
    assert capsys.readouterr().out == ""


def test_a_snapshot_can_not_be_changed() -> None:
    with pytest.raises(AttributeError):
        PROCESS.snapshot().thaws = 1  # type: ignore[misc]


def test_a_callback_that_fails_fails_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    got: list[InvocationMetrics] = []

    @switch.on_metrics
    def fail(metrics: InvocationMetrics) -> None:
        message = "cannot reach mongodb://shop:canary@example.test/"
        raise ValueError(message)

    switch.on_metrics(got.append)
    switch.flush(None)
    assert len(got) == 1
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message == (
        "warmline: metrics could not be given away: ValueError: cannot reach mongodb://<credentials>@example.test/"
    )


def test_a_standard_output_that_is_closed_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WARMLINE_METRICS", "emf")
    switch.listeners()
    monkeypatch.setattr(sys, "stdout", None)
    switch.flush(None)
    assert "metrics could not be given away" in caplog.text


def test_opentelemetry_that_is_not_installed_is_one_warning_and_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WARMLINE_METRICS", "otel")
    monkeypatch.delitem(sys.modules, "warmline.runtime.metrics.otel", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.metrics", None)
    assert switch.listeners() == ()
    (record,) = caplog.records
    assert "pip install opentelemetry-api" in record.message


def test_opentelemetry_listens_and_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WARMLINE_METRICS", "otel")
    assert switch.listeners()
    switch.flush(None)
    assert capsys.readouterr().out == ""
