from __future__ import annotations

import csv
import io
from dataclasses import replace
from math import nan

import pytest

from warmline.lab.experiments.result import ExperimentResult, Metric
from warmline.report.spreadsheet import COLUMNS, to_csv
from warmline.report.units import unit

from .results import LABELS, METRICS, reuse_client


def rows(result: ExperimentResult) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv(result))))


def test_there_is_a_line_for_each_value_below_one_that_names_the_columns() -> None:
    text = to_csv(reuse_client())
    assert text.splitlines()[0] == ",".join(COLUMNS)
    assert len(rows(reuse_client())) == len(LABELS) * len(METRICS)


def test_a_line_says_whose_value_it_is_and_in_which_unit() -> None:
    result = replace(reuse_client(), date="2026-11-25T04:00:00Z")
    (row,) = [row for row in rows(result) if (row["variant"], row["metric"]) == ("warmline", "warm_ms_p99")]
    assert row == {
        "experiment": "reuse-client",
        "date": "2026-11-25T04:00:00Z",
        "variant": "warmline",
        "variant_label": "warmline",
        "metric": "warm_ms_p99",
        "metric_label": "warm invocation, p99 (ms)",
        "group": "",
        "value": "9.87",
        "unit": "ms",
    }


def test_numbers_have_no_thousands_separators_and_what_is_no_number_is_empty() -> None:
    values = {"connections_created": 4480.0, "warm_ms_p50": nan}
    result = replace(reuse_client(), variants={"warmline": values})
    by_metric = {row["metric"]: row["value"] for row in rows(result)}
    assert (by_metric["connections_created"], by_metric["warm_ms_p50"], by_metric["errors"]) == ("4480", "", "")


def test_a_value_that_is_no_quantity_is_its_word() -> None:
    metric = Metric("outcome_ms", "outcome", 0, "Outcomes", ("ok", "error"))
    result = replace(reuse_client(), metrics=(metric,), variants={"warmline": {"outcome_ms": 1}})
    assert [(row["value"], row["unit"], row["group"]) for row in rows(result)] == [("error", "", "Outcomes")]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("warm_ms_p50", "ms"),
        ("seconds_until_all_served", "s"),
        ("failed_of_warm_percent", "%"),
        ("memory_mib_per_environment", "MiB"),
        ("environments_started_per_second", ""),
        ("connections_created", ""),
    ],
)
def test_a_metrics_name_has_its_unit(metric: str, expected: str) -> None:
    assert unit(metric) == expected
