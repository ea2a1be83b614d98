"""
A result's tables as Markdown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .tables import Table, tables
from .wording import ratio_label, ratio_value

if TYPE_CHECKING:
    from ..lab.experiments.result import ExperimentResult


def to_markdown(result: ExperimentResult) -> str:
    """
    Its tables, and the ratios below.
    """
    parts = [_table(table) for table in tables(result)]
    if result.ratios:
        ratios = (f"- {ratio_value(value)} {ratio_label(result, name)}" for name, value in result.ratios.items())
        parts.append("\n".join(ratios))
    return "\n\n".join(parts)


def _table(table: Table) -> str:
    lines = [
        _line([table.group, *table.columns]),
        _line(["---", *("---:" for _ in table.columns)]),
        *(_line([label, *values]) for label, values in table.rows),
    ]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "".join(f"| {cell.replace('|', chr(92) + '|')} " if cell else "| " for cell in cells) + "|"
