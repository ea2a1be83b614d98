from __future__ import annotations

import json
from dataclasses import replace
from math import inf, nan

from warmline.lab.experiments.result import Latencies
from warmline.report.document import to_document, to_json

from .results import PHASES, VALUES, reuse_client


def test_json_holds_the_document() -> None:
    result = reuse_client()
    assert json.loads(to_json(result)) == to_document(result)


def test_the_keys_come_in_one_order() -> None:
    assert list(to_document(reuse_client())) == [
        "experiment",
        "title",
        "question",
        "answer",
        "date",
        "seconds",
        "variants",
        "variant_labels",
        "metrics",
        "ratios",
        "machine",
        "versions",
        "parameters",
        "notes",
        "command",
        "series",
        "environments",
        "latencies",
        "waits",
        "events",
    ]


def test_the_same_result_gives_the_same_json() -> None:
    assert to_json(reuse_client()) == to_json(reuse_client())


def test_variants_and_their_metrics_keep_their_names_and_order() -> None:
    result = reuse_client()
    variants = to_document(result)["variants"]
    assert list(VALUES) == list(variants)
    assert list(result.variants["warmline"]) == list(variants["warmline"])
    assert variants["warmline"]["warm_ms_p99"] == 9.87


def test_times_have_three_decimals_and_counts_none() -> None:
    result = replace(
        reuse_client(),
        variants={"warmline": {"warm_ms_p50": 3.2104999, "connections_created": 80.0}},
        latencies=(Latencies("warmline", (248.61251,), ()),),
    )
    text = to_json(result)
    assert '"warm_ms_p50": 3.21,' in text
    assert '"connections_created": 80\n' in text
    assert to_document(result)["latencies"] == [{"variant": "warmline", "cold_ms": [248.613], "warm_ms": []}]


def test_a_small_ratio_keeps_its_figures() -> None:
    result = replace(reuse_client(), ratios={"first_request_to_warm": 0.000123456})
    assert to_document(result)["ratios"] == {"first_request_to_warm": 0.0001235}


def test_what_is_no_number_is_null() -> None:
    result = replace(
        reuse_client(), variants={"warmline": {"warm_ms_p50": nan}}, ratios={"all": inf}, machine={"memory_gib": nan}
    )
    document = json.loads(to_json(result))
    assert document["variants"] == {"warmline": {"warm_ms_p50": None}}
    assert document["ratios"] == {"all": None}
    assert document["machine"] == {"memory_gib": None}


def test_series_and_events_are_complete() -> None:
    result = reuse_client()
    document = to_document(result)
    assert [(series.variant, series.node) for series in result.connections] == [
        (series["variant"], series["node"]) for series in document["series"]
    ]
    assert list(result.connections[0].counts) == document["series"][0]["counts"]
    assert [{"seconds": event.seconds, "label": event.label} for event in PHASES] == document["events"]["warmline"]
    assert document["environments"][1] == {
        "variant": "per-invocation",
        "state": "busy",
        "seconds": [0, 1.5, 12, 38, 47, 48, 60],
        "counts": [0, 20, 4, 0, 0, 0, 0],
    }
