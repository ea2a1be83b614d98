"""
``warmline lab``: experiments on a real cluster with real Lambda environments.
"""

from __future__ import annotations

import math

import typer
from rich.console import Console
from rich.table import Table

from warmline.facts.figures import measured
from warmline.facts.practices import practices_of
from warmline.lab.experiments import EXPERIMENTS

from .cluster import cluster
from .lab_all import run_all
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
lab.command(name="run-all")(run_all)


@lab.command(name="list")
def list_experiments() -> None:
    """
    List the experiments: what they compare, whose cost they measure, and about how long they take.

    Example: warmline lab list
    """
    table = Table("experiment", "what it compares", "practices", "takes", box=None, pad_edge=False, header_style="bold")
    table.columns[0].no_wrap = table.columns[3].no_wrap = True
    for experiment in EXPERIMENTS:
        ids = ", ".join(practice.id for practice in practices_of(experiment.name))
        table.add_row(experiment.name, experiment.summary, ids, _about(experiment.name))
    Console().print(table)


def _about(experiment: str) -> str:
    """
    As long as it took when its figures were taken, roughly.
    """
    found = measured(experiment)
    if found is None:
        return ""
    return f"{found.seconds / 60:.0f} min" if found.seconds >= 90 else f"{10 * math.ceil(found.seconds / 10)} s"
