"""
``warmline lab``: experiments on a real cluster with real Lambda environments.
"""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table

from warmline.lab.experiments import EXPERIMENTS

from .cluster import cluster
from .lab_compare import compare
from .lab_invoke import invoke
from .lab_run import run
from .lab_serve import serve

lab = typer.Typer(
    name="lab",
    help="Run real Lambda environments against a real mongod on this machine, and measure.",
    no_args_is_help=True,
)

lab.add_typer(cluster)
lab.command()(compare)
lab.command()(invoke)
lab.command()(run)
lab.command()(serve)


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
