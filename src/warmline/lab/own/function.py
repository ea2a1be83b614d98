"""
A user's own function, described before there is a cluster for it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

from ..aws import FunctionSpec
from ..aws.command import find_command
from ..errors import UnusableFunction
from .handler import find_handler

# Stands in a variable's value for the cluster's connection string, which is known when the cluster is there.
URI = "{uri}"

# As AWS has it for names; a file's or module's other characters become hyphens.
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME = 64

# Lambda's own, where nothing is set.
# Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
MEMORY_MB = 128
TIMEOUT_SECONDS = 3.0

PYTHON = "python3.13"
OWN_RUNTIME = "provided.al2023"


def own_function(
    handler: str | None = None,
    *,
    name: str | None = None,
    code: Path | None = None,
    command: tuple[str, ...] | None = None,
    runtime: str | None = None,
    environment: Mapping[str, str] | None = None,
    memory_mb: int | None = None,
    timeout_seconds: float | None = None,
) -> FunctionSpec:
    """
    Describe a function of the user's, and check what can be checked before it is deployed.

    Each of its environments is a new interpreter, as on Lambda: its folder may have its own versions of what the lab
    has imported.

    :param handler: ``app.lambda_handler``, or the path of a Python file with one handler; with a command anything
    :param name: by default the module's, or the program's
    :param command: a program that speaks the Runtime API
    :param environment: its variables, with ``URI`` for the cluster's connection string; ``MONGODB_URI`` is added
    :raises UnusableFunction: there is no such module, or the command can't be run.
    """
    if command is None:
        command = _command(runtime or PYTHON)
    if command is not None:
        code, runtime = code or Path(), runtime or OWN_RUNTIME
        name = name or Path(command[0] if command else "").stem
    elif handler is not None:
        code, handler = find_handler(handler, code)
        name = name or re.split(r"[./]", handler)[-2]
    else:
        raise UnusableFunction("no function is named: give its handler, as app.lambda_handler, or its --command")
    function = FunctionSpec(
        name=_NO_NAME.sub("-", name)[:_LONGEST_NAME],
        code=code,
        handler=handler or "bootstrap.handler",
        environment={"MONGODB_URI": URI, **(environment or {})},
        memory_mb=memory_mb or MEMORY_MB,
        timeout_seconds=timeout_seconds or TIMEOUT_SECONDS,
        runtime=runtime or PYTHON,
        start="exec",
        command=command,
    )
    find_command(function)
    return function


def _command(runtime: str) -> tuple[str, ...] | None:
    """
    The program that a runtime starts; ``None``: Python's client.
    """
    if runtime.startswith("python"):
        return None
    if runtime.startswith("provided"):
        return ("./bootstrap",)
    raise UnusableFunction(
        f"the lab has no client for {runtime}: name a program that speaks the Runtime API with --command"
    )


def with_uri(function: FunctionSpec, uri: str) -> FunctionSpec:
    """
    Put the cluster's connection string where the function's variables want it.
    """
    environment = {name: value.replace(URI, uri) for name, value in function.environment.items()}
    return dataclasses.replace(function, environment=environment)
