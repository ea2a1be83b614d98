"""
``warmline lab``: experiments on a real cluster with real Lambda environments.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from warmline.lab.aws import StartMode
from warmline.lab.errors import LabError
from warmline.lab.experiments import EXPERIMENTS, Experiment, ExperimentResult, RunOptions
from warmline.report.document import to_json
from warmline.report.page import to_page
from warmline.report.text import print_result

from .cluster import cluster
from .console import INTERRUPTED, fail, told
from .lab_invoke import invoke

lab = typer.Typer(
    name="lab",
    help="Run real Lambda environments against a real mongod on this machine, and measure.",
    no_args_is_help=True,
)

lab.add_typer(cluster)
lab.command()(invoke)


@lab.command(name="list")
def list_experiments() -> None:
    """
    List the experiments.

    Example: warmline lab list
    """
    table = Table("experiment", "what it compares", box=None, pad_edge=False, header_style="bold")
    for experiment in EXPERIMENTS:
        table.add_row(experiment.name, experiment.summary)
    Console().print(table)


@lab.command()
def run(
    name: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="A name from `warmline lab list`.")],
    environments: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=2000,
            help="How many execution environments each variant gets, or each case of it.",
            show_default="the experiment's own, mostly 20",
        ),
    ] = None,
    start: Annotated[
        StartMode,
        typer.Option(help="How environments start: forked with the driver imported (fast), or a new interpreter each."),
    ] = "zygote",
    mongod: Annotated[Path | None, typer.Option(help="The MongoDB server to use instead of the one found.")] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write the result as JSON to this file; - is standard output.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the result as one self-contained page to this file.")] = None,
) -> None:
    """
    Run one experiment and show what came out.

    Examples:
        warmline lab run reuse-client

        warmline lab run reuse-client --environments 300 --html result.html

        warmline lab run reuse-client --json - | jq .ratios

    """
    experiment = next((experiment for experiment in EXPERIMENTS if experiment.name == name), None)
    if experiment is None:
        fail(f"there is no experiment {name!r}: `warmline lab list` shows them")
    to_stdout = json == Path("-")
    for path in (None if to_stdout else json, html):
        # Before the minute that the run takes, not after it.
        _check_writable(path)
    options = RunOptions(environments=environments or experiment.environments, start=start, mongod=mongod)
    result = _measured(experiment, options)
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


def _measured(experiment: Experiment, options: RunOptions) -> ExperimentResult:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("starting", total=1.0)
            return asyncio.run(
                experiment.run(options, lambda doing, done: progress.update(task, description=doing, completed=done))
            )
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
