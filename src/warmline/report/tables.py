"""
A result's values as tables: one of each group of metrics, lying or standing as there is room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .wording import metric_value, variant_label

if TYPE_CHECKING:
    from ..lab.experiments.result import ExperimentResult, Metric

# With more variants than this, and fewer metrics than variants, the variants are the rows.
MOST_COLUMNS = 5


@dataclass(frozen=True, slots=True)
class Table:
    """
    ``corner`` says what the rows are; each row is a label and a value for each column.
    """

    group: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def tables(result: ExperimentResult) -> tuple[Table, ...]:
    """
    The tables, those metrics first that are in no group.
    """
    groups: dict[str, list[Metric]] = {"": []}
    for metric in result.metrics:
        groups.setdefault(metric.group, []).append(metric)
    return tuple(_table(result, group, metrics) for group, metrics in groups.items() if metrics)


def _table(result: ExperimentResult, group: str, metrics: list[Metric]) -> Table:
    labels = tuple(variant_label(result, variant) for variant in result.variants)
    names = tuple(metric.label for metric in metrics)
    if len(labels) > max(MOST_COLUMNS, len(metrics)):
        values = [tuple(metric_value(result, metric, variant) for metric in metrics) for variant in result.variants]
        return Table(group, "Variant", names, tuple(zip(labels, values, strict=True)))
    values = [tuple(metric_value(result, metric, variant) for variant in result.variants) for metric in metrics]
    return Table(group, "Case" if group else "Metric", labels, tuple(zip(names, values, strict=True)))
