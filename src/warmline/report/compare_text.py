"""
A comparison in the terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from .compare import Comparison

# Where a value differs by more than the threshold; also without colour.
MARK = "\N{BLACK CIRCLE}"


def print_comparison(comparison: Comparison, names: tuple[str, str], console: Console) -> None:
    """
    Print what differs about the runs, then each metric of each variant in both.

    :param names: what the runs are called, their files say.
    """
    from rich.padding import Padding
    from rich.text import Text

    if comparison.differences:
        console.print(Text("The runs themselves differ", style="bold"))
        console.print(Padding(_differences(comparison, names), (0, 0, 1, 0)))
    console.print(_values(comparison, names))
    console.print(Text(f"\n{MARK} {summary(comparison)}"))


def summary(comparison: Comparison) -> str:
    """
    How many values differ, in a sentence.
    """
    threshold = f"{comparison.threshold_percent:g} %"
    return f"{comparison.differing} of {comparison.total} values differ by more than {threshold}."


def _differences(comparison: Comparison, names: tuple[str, str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="")
    for heading in ("", *names):
        table.add_column(Text(heading, style="dim"), overflow="fold")
    for difference in comparison.differences:
        table.add_row(Text(difference.about), Text(difference.first), Text(difference.second))
    return table


def _values(comparison: Comparison, names: tuple[str, str]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column(Text(comparison.first.experiment), overflow="fold")
    for heading in (*names, "ratio"):
        table.add_column(Text(heading), justify="right", vertical="bottom", overflow="fold")
    table.add_column(" ", width=1)
    group = ""
    for metric in comparison.metrics:
        if metric.group != group:
            group = metric.group
            table.add_row()
            table.add_row(Text(group, style="bold"))
        table.add_row(Text(metric.label, style="dim"))
        for value in metric.values:
            table.add_row(
                Text(f"  {value.variant}"),
                Text(value.first),
                Text(value.second),
                Text(value.ratio),
                Text(MARK if value.differs else ""),
                style="bold" if value.differs else "",
            )
    return table
