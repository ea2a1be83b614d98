"""
The commands and their groups.
"""

from __future__ import annotations

from typing import Annotated

import typer

import warmline

from .lab import lab
from .pin import pin

app = typer.Typer(
    name="warmline",
    help="Keeps the MongoDB connections of AWS Lambda functions few, warm and safe.",
    no_args_is_help=True,
    # A fault of ours is worth its whole traceback, not a drawing of it with every local variable's value.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(lab)
app.command()(pin)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"warmline {warmline.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """
    Keeps the MongoDB connections of AWS Lambda functions few, warm and safe.
    """
