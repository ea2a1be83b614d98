"""
A result in the terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .tables import MOST_COLUMNS
from .wording import metric_value, ratio_label, ratio_value, variant_label

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ..lab.experiments.result import ExperimentResult

# Three such columns leave more than half of 80 to the metrics' labels.
_VARIANT_WIDTH = 12


def print_result(result: ExperimentResult, console: Console) -> None:
    """
    Print the answer, a table of variants and metrics, the ratios, and what the run can't show.
    """
    from rich.padding import Padding
    from rich.text import Text

    # All texts are Text: square brackets in a label are no markup.
    console.print(Padding(Text(result.answer, style="bold"), (0, 0, 1, 0)))
    console.print(_variants(result) if len(result.variants) > MOST_COLUMNS else _metrics(result))
    if result.ratios:
        console.print(Padding(_ratios(result), (1, 0, 0, 0)))
    if result.notes:
        console.print(Text("\nWhat this run can't show", style="bold"))
        console.print(_notes(result))


def _metrics(result: ExperimentResult) -> Table:
    """
    A row for each metric and a column for each variant.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column(Text(result.experiment), overflow="fold")
    for variant in result.variants:
        table.add_column(
            Text(variant_label(result, variant)),
            justify="right",
            vertical="bottom",
            overflow="fold",
            max_width=_VARIANT_WIDTH,
        )
    group = ""
    for metric in result.metrics:
        if metric.group != group:
            group = metric.group
            table.add_row()
            table.add_row(Text(group, style="bold"))
        values = (Text(metric_value(result, metric, variant)) for variant in result.variants)
        table.add_row(Text(metric.label), *values)
    return table


def _variants(result: ExperimentResult) -> Table:
    """
    A row for each variant and a column for each metric, where the other way round there would be too many columns.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column(Text(result.experiment), overflow="fold")
    for metric in result.metrics:
        table.add_column(
            Text(metric.label), justify="right", vertical="bottom", overflow="fold", max_width=_VARIANT_WIDTH
        )
    for variant in result.variants:
        values = (Text(metric_value(result, metric, variant)) for metric in result.metrics)
        table.add_row(Text(variant_label(result, variant)), *values)
    return table


def _ratios(result: ExperimentResult) -> Table:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in result.ratios.items():
        grid.add_row(Text(ratio_value(value), style="bold"), Text(ratio_label(result, name)))
    return grid


def _notes(result: ExperimentResult) -> Table:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for note in result.notes:
        grid.add_row("-", Text(note))
    return grid
