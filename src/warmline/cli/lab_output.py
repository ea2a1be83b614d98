"""
What ``lab run`` does around a run: progress on standard error, then the result as a table, JSON and a page.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from warmline.lab.errors import LabError
from warmline.lab.experiments import ExperimentResult, OnProgress
from warmline.report.document import to_json
from warmline.report.page import to_page
from warmline.report.text import print_result

from .console import INTERRUPTED, fail, told

STDOUT = Path("-")

Measured = Callable[[OnProgress], Coroutine[Any, Any, ExperimentResult]]


def run_and_show(measured: Measured, *, json: Path | None, html: Path | None) -> None:
    """
    Run it, and show what came out.
    """
    to_stdout = json == STDOUT
    for path in (None if to_stdout else json, html):
        # Before the minute that the run takes, not after it.
        _check_writable(path)
    result = _run(measured)
    print_result(result, Console(stderr=to_stdout))
    if json is not None:
        document = to_json(result)
        if to_stdout:
            sys.stdout.write(document + "\n")
        else:
            json.write_text(document + "\n")
    if html is not None:
        html.write_text(to_page(result))
        Console(stderr=to_stdout).print(f"Page: {html.resolve()}", soft_wrap=True, highlight=False)


def _run(measured: Measured) -> ExperimentResult:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("starting", total=1.0)
            return asyncio.run(measured(lambda doing, done: progress.update(task, description=doing, completed=done)))
    except (LabError, OSError) as error:
        fail(told(error))
    except KeyboardInterrupt:
        console.print("warmline: stopped; everything that was started has ended")
        raise typer.Exit(INTERRUPTED) from None


def _check_writable(path: Path | None) -> None:
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        with path.open("a"):
            pass
        if is_new:
            path.unlink()
    except OSError as error:
        fail(f"can't write {path}: {error.strerror}; choose another file")
