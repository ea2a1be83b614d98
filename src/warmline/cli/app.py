"""
The commands and their groups.
"""

from __future__ import annotations

import importlib
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import warmline

# Where each command is. Only the one that is asked for is imported: the lab alone takes longer than a whole check.
_COMMANDS = {"check": "check", "lab": "lab", "pin": "pin", "rule": "rule"}


# Its module reads the arguments.
_PASSED_ON: Any = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def _check(context: typer.Context) -> None:
    """
    Check code and templates for what hurts a function's MongoDB connections.
    """
    from .check import check

    raise typer.Exit(check(context.args))


class _Commands(TyperGroup):
    """
    Commands that are imported when they are asked for.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _COMMANDS:
            return None
        if cmd_name == "check":
            alone = typer.Typer(add_completion=False, **_LOOKS)
            alone.command(name="check", context_settings=_PASSED_ON)(_check)
            return typer.main.get_command(alone)
        found = getattr(importlib.import_module(f".{_COMMANDS[cmd_name]}", __package__), cmd_name)
        if isinstance(found, typer.Typer):
            return typer.main.get_command(found)
        alone = typer.Typer(add_completion=False, **_LOOKS)
        alone.command(name=cmd_name)(found)
        return typer.main.get_command(alone)


_LOOKS: Any = {
    # A fault of ours is worth its whole traceback, not a drawing of it with every local variable's value.
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}

app = typer.Typer(
    name="warmline",
    cls=_Commands,
    help="Keeps the MongoDB connections of AWS Lambda functions few, warm and safe.",
    no_args_is_help=True,
    **_LOOKS,
)


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
