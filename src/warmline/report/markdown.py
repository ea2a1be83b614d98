"""
A result's tables as Markdown.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from .wording import metric_value, ratio_label, ratio_value, variant_label

if TYPE_CHECKING:
    from ..lab.experiments.result import ExperimentResult

# With more variants than this they are the rows.
_MOST_COLUMNS = 6


def to_markdown(result: ExperimentResult) -> str:
    """
    A table of metrics and variants for each group of metrics, and the ratios below.
    """
    parts = []
    for group, metrics in groupby(result.metrics, lambda metric: metric.group):
        labels = [_cell(variant_label(result, variant)) for variant in result.variants]
        rows = [
            [_cell(metric.label), *(_cell(metric_value(result, metric, variant)) for variant in result.variants)]
            for metric in metrics
        ]
        table = [[_cell(group), *labels], *rows]
        if len(labels) > max(_MOST_COLUMNS, len(rows)):
            table = [list(row) for row in zip(*table, strict=True)]
        parts.append(_table(table))
    if result.ratios:
        ratios = (f"- {ratio_value(value)} {ratio_label(result, name)}" for name, value in result.ratios.items())
        parts.append("\n".join(ratios))
    return "\n\n".join(parts)


def _table(rows: list[list[str]]) -> str:
    head, *body = rows
    lines = [head, ["---", *("---:" for _ in head[1:])], *body]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
