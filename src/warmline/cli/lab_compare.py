"""
``warmline lab compare``: two runs of one experiment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from warmline.report.compare import THRESHOLD_PERCENT, NotComparable
from warmline.report.compare import compare as compared
from warmline.report.compare_text import print_comparison
from warmline.report.page import to_comparison_page
from warmline.report.reading import UnreadableResult, read_result

from .console import fail
from .files import check_writable


def compare(
    first: Annotated[Path, typer.Argument(metavar="A.json", help="A run's JSON, as `--json` writes it.")],
    second: Annotated[Path, typer.Argument(metavar="B.json", help="Another run of the same experiment.")],
    threshold: Annotated[
        float, typer.Option(min=0, help="Mark what differs by more than this, in percent.")
    ] = THRESHOLD_PERCENT,
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page to this file.")] = None,
) -> None:
    """
    Put two runs of an experiment side by side: what differs about them, then every value of every variant.

    Examples:
        warmline lab compare before.json after.json

        warmline lab compare before.json after.json --threshold 10 --html compare.html

    """
    check_writable(html)
    try:
        comparison = compared(read_result(first), read_result(second), threshold_percent=threshold)
    except (UnreadableResult, NotComparable) as error:
        fail(str(error))
    # Two files of one name are told apart by their folders.
    names = (first.stem, second.stem) if first.stem != second.stem else (str(first), str(second))
    print_comparison(comparison, names, Console())
    if html is not None:
        html.write_text(to_comparison_page(comparison, names))
        Console().print(f"Page: {html.resolve()}", soft_wrap=True, highlight=False)
