"""
What ``lab run`` does around a run: a live view on standard error, then the result as a table, JSON, CSV and a page.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from warmline.lab.errors import LabError
from warmline.lab.experiments import ExperimentResult
from warmline.report.document import to_json
from warmline.report.live import LiveView
from warmline.report.page import to_page
from warmline.report.spreadsheet import to_csv
from warmline.report.text import print_result

from .console import INTERRUPTED, fail, told
from .files import check_writable

STDOUT = Path("-")

# It is given who hears of its progress and its bench.
Measured = Callable[[LiveView], Coroutine[Any, Any, ExperimentResult]]


def run_and_show(
    title: str, measured: Measured, *, json: Path | None, html: Path | None, csv: Path | None = None
) -> None:
    """
    Run it, and show what came out; ``title`` is what the live view calls it.
    """
    if json == csv == STDOUT:
        fail("only one of --json and --csv can go to standard output: name a file for the other")
    to_stdout = STDOUT in {json, csv}
    for path in {json, html, csv} - {STDOUT}:
        # Before the minute that the run takes, not after it.
        check_writable(path)
    try:
        result = run_measured(title, measured)
    except (LabError, OSError) as error:
        fail(told(error))
    except KeyboardInterrupt:
        raise stopped() from None
    print_result(result, Console(stderr=to_stdout))
    for path, written in ((json, to_json), (csv, to_csv)):
        if path is not None:
            _write(path, written(result).rstrip("\n") + "\n")
    if html is not None:
        html.write_text(to_page(result))
        Console(stderr=to_stdout).print(f"Page: {html.resolve()}", soft_wrap=True, highlight=False)


def run_measured(title: str, measured: Measured) -> ExperimentResult:
    """
    Run it under a live view, and note when it ended and how long it took.

    :raises LabError: as the run does.
    """
    started = time.monotonic()
    with LiveView(title, Console(stderr=True)) as view:
        result = asyncio.run(measured(view))
    date = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return dataclasses.replace(result, date=date, seconds=time.monotonic() - started)


def stopped() -> typer.Exit:
    """
    Say that Ctrl-C has ended everything; return what ends the command.
    """
    Console(stderr=True).print("warmline: stopped; everything that was started has ended")
    return typer.Exit(INTERRUPTED)


def _write(path: Path, text: str) -> None:
    if path == STDOUT:
        sys.stdout.write(text)
    else:
        path.write_text(text)
