"""
What the commands have in common: how they fail.
"""

from __future__ import annotations

from typing import NoReturn

import typer

# The command could not do its work.
FAILED = 2

# It was ended by Ctrl-C before it had done its work; as a shell says it.
INTERRUPTED = 130


def fail(message: str) -> NoReturn:
    """
    End the command with one line on standard error.
    """
    typer.echo(f"warmline: {message}", err=True)
    raise typer.Exit(FAILED)


def told(error: BaseException) -> str:
    """
    The error in one line, and where its logs are.
    """
    return "; ".join((str(error), *getattr(error, "__notes__", ())))
