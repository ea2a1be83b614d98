"""
The program of a function that is not run by Python's runtime client.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..errors import UnusableFunction
from .function import FunctionSpec

# How a program begins that a kernel takes: a script that names its interpreter, and Linux's and macOS's own.
_BEGINNINGS = (b"#!", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


def find_command(function: FunctionSpec) -> tuple[str, ...] | None:
    """
    Return a function's command with the whole path of its program; ``None``: it has none.

    A name is looked for in the code folder, and if it has no slash in it, on PATH too.

    :raises UnusableFunction: there is no such program, or it can't be run.
    """
    if function.command is None:
        return None
    if not function.command:
        raise UnusableFunction(f"the command of function {function.name} is empty: name a program, as ./bootstrap")
    name, *arguments = function.command
    code = function.code.resolve()
    program = code / name
    if "/" not in name and not program.is_file():
        found = shutil.which(name)
        if found is None:
            raise UnusableFunction(
                f"the command of function {function.name} is found neither in {code} nor on PATH: {name}; build it, or "
                "give its path"
            )
        program = Path(found).absolute()
    _check_runs(program, function.name)
    return (str(program), *arguments)


def _check_runs(program: Path, name: str) -> None:
    what = f"the command of function {name}"
    if not program.exists():
        raise UnusableFunction(f"{what} is not there: {program}; build it, or name another")
    if not program.is_file():
        raise UnusableFunction(f"{what} is no file: {program}; name the program in it")
    if not os.access(program, os.X_OK):
        raise UnusableFunction(f"{what} is not executable: chmod +x {program}")
    with program.open("rb") as file:
        beginning = file.read(4)
    if not beginning.startswith(_BEGINNINGS):
        raise UnusableFunction(
            f"{what} is no program: {program} begins neither with #! nor as a binary; begin a script with #!/bin/sh"
        )
