from __future__ import annotations

import io
from dataclasses import replace
from math import nan

from rich.cells import cell_len
from rich.console import Console

from warmline.lab.experiments.result import ExperimentResult, Metric
from warmline.report.text import print_result

from .results import LABELS, METRICS, reuse_client


def printed(result: ExperimentResult, width: int = 80) -> str:
    file = io.StringIO()
    print_result(result, Console(file=file, width=width, color_system=None))
    return file.getvalue()


def test_three_variants_fit_80_columns() -> None:
    assert max(cell_len(line) for line in printed(reuse_client()).splitlines()) <= 80


def test_every_metric_is_a_row_with_a_value_for_each_variant() -> None:
    result = reuse_client()
    lines = printed(result, width=160).splitlines()
    for metric in METRICS:
        (row,) = [line for line in lines if line.strip().startswith(metric.label)]
        expected = [f"{values[metric.name]:,.{metric.decimals}f}" for values in result.variants.values()]
        assert expected == row.strip().removeprefix(metric.label).split()


def test_many_variants_are_rows_and_fit_80_columns() -> None:
    names = [f"variant-{number}" for number in range(8)]
    values = {metric.name: 1234.5 for metric in METRICS[:5]}
    result = replace(reuse_client(), metrics=METRICS[:5], variants=dict.fromkeys(names, values), variant_labels={})
    lines = printed(result).splitlines()
    for name in names:
        (row,) = [line.split() for line in lines if line.startswith(name)]
        assert row == [name, *(f"{1234.5:,.{metric.decimals}f}" for metric in METRICS[:5])]
    assert max(cell_len(line) for line in lines) <= 80


def test_a_label_that_wraps_loses_no_word() -> None:
    words = printed(reuse_client()).split()
    for label in [*LABELS.values(), *(metric.label for metric in METRICS)]:
        assert set(label.split()) <= set(words)


def test_answer_table_ratios_and_notes_come_in_this_order() -> None:
    text = printed(reuse_client(), width=200)
    parts = [
        "For 280 invocations",
        "failed invocations",
        "56.0\N{MULTIPLICATION SIGN}",
        "What this run can't show",
        "Nothing here ran on AWS",
    ]
    assert sorted(parts, key=text.index) == parts


def test_a_ratio_is_named_by_the_labels_of_what_it_compares() -> None:
    text = printed(reuse_client(), width=200)
    assert "18.1\N{MULTIPLICATION SIGN} warm invocation, median (ms): client per invocation ÷ warmline" in text
    assert "0.042\N{MULTIPLICATION SIGN} first request to warm" in text
    hyphens = replace(reuse_client(), ratios={"warm_ms_p50_per-invocation_to_warmline": 18.131})
    assert "warm invocation, median (ms): client per invocation ÷ warmline" in printed(hyphens, width=200)


def test_a_group_s_name_stands_above_its_metrics() -> None:
    metrics = (METRICS[0], Metric("outcome_reset", "connections reset", 0, "Outcome", ("ok", "killed")))
    result = replace(reuse_client(), metrics=metrics, variants={"warmline": {METRICS[0].name: 1, "outcome_reset": 1}})
    lines = [line.split() for line in printed(result).splitlines()]
    assert lines[lines.index(["Outcome"]) + 1] == ["connections", "reset", "killed"]


def test_square_brackets_in_a_label_are_printed() -> None:
    labels = {**LABELS, "warmline": "[red]warmline[/red]"}
    assert "[red]warmline[/red]" in printed(reuse_client(labels), width=160)


def test_a_missing_value_is_a_dash() -> None:
    result = replace(
        reuse_client(), metrics=METRICS[:1], variants={"documented": {}, "warmline": {METRICS[0].name: nan}}
    )
    assert printed(result).count("\N{EN DASH}") == 2


def test_a_result_without_ratios_and_notes_ends_with_the_table() -> None:
    lines = printed(replace(reuse_client(), ratios={}, notes=())).splitlines()
    assert lines[-1].split() == ["failed", "invocations", "0", "0", "0"]
