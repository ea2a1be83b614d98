from __future__ import annotations

from dataclasses import replace

from warmline.lab.experiments.result import Metric
from warmline.report.document import to_document
from warmline.report.figures import to_figures
from warmline.report.markdown import to_markdown
from warmline.report.reading import from_document
from warmline.report.wording import MISSING

from .results import LABELS, reuse_client


def test_a_table_has_a_row_for_each_metric_and_a_column_for_each_variant() -> None:
    lines = to_markdown(reuse_client()).splitlines()
    assert lines[:3] == [
        "| | client per invocation | MongoDB's documented example | warmline |",
        "| --- | ---: | ---: | ---: |",
        "| connections per environment, primary | 7.94 | 2.00 | 2.00 |",
    ]
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


def test_ratios_are_a_list_below() -> None:
    assert to_markdown(reuse_client()).splitlines()[-4].startswith("- 56.0")


def test_a_group_of_metrics_is_a_table_with_its_name_and_words_are_words() -> None:
    metrics = (Metric("errors", "errors"), Metric("outcome", "connections reset", 0, "Outcome", ("ok", "error | late")))
    result = replace(reuse_client(), metrics=metrics, variants={name: {"outcome": 1} for name in LABELS}, ratios={})
    first, second = to_markdown(result).split("\n\n")
    assert first.splitlines()[-1] == f"| errors | {MISSING} | {MISSING} | {MISSING} |"
    assert second.splitlines()[0].startswith("| Outcome | client")
    assert second.splitlines()[-1] == "| connections reset | error \\| late | error \\| late | error \\| late |"


def test_many_variants_of_few_metrics_are_the_rows() -> None:
    names = [f"v{number}" for number in range(9)]
    metrics = (Metric("errors", "errors"), Metric("hosts", "hosts"))
    values = {"errors": 1, "hosts": 2}
    result = replace(
        reuse_client(), metrics=metrics, variants=dict.fromkeys(names, values), variant_labels={}, ratios={}
    )
    lines = to_markdown(result).splitlines()
    assert lines[0] == "| | errors | hosts |"
    assert lines[2] == "| v0 | 1 | 2 |"


def test_figures_are_the_document_without_what_was_sampled_and_can_be_read_back() -> None:
    result = replace(reuse_client(), date="2026-11-25T04:00:00Z", seconds=61.0)
    figures = to_figures(result)
    assert {"series", "environments", "latencies", "events"}.isdisjoint(figures)
    assert figures["machine"]["system"] == "Linux"
    again = from_document(figures)
    assert to_markdown(again) == to_markdown(result)
    assert to_document(again)["ratios"] == to_document(result)["ratios"]
