"""
A user's own function, described before there is a cluster for it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from ..aws import FunctionSpec
from ..aws.command import find_command
from ..errors import UnusableFunction
from ..node import install_node
from .handler import find_handler, find_node_handler

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
    on_step: Callable[[str], None] = lambda _step: None,
) -> FunctionSpec:
    """
    Describe a function of the user's, and check what can be checked before it is deployed.

    Each of its environments is a new interpreter, as on Lambda: its folder may have its own versions of what the lab
    has imported.

    :param handler: ``app.lambda_handler``, or the path of a Python file with one handler; with a command anything
    :param name: by default the module's, or the program's
    :param command: a program that speaks the Runtime API
    :param environment: its variables, with ``URI`` for the cluster's connection string; ``MONGODB_URI`` is added
    :param runtime: as AWS names it. ``nodejs…`` is run by AWS's client for Node.js, ``provided…`` by the folder's
        ``bootstrap``; whichever ``python…`` it is, this one runs it.
    :param on_step: hears of what takes long: the packages for Node.js, the first time
    :raises UnusableFunction: there is no such module, or the command can't be run.
    """
    language = runtime or (PYTHON if command is None else OWN_RUNTIME)
    if command is None and language.startswith("provided"):
        command = ("./bootstrap",)
    if command is not None:
        name = name or Path(command[0] if command else "function").stem
    elif handler is None:
        raise UnusableFunction("no function is named: give its handler, as app.lambda_handler, or its --command")
    elif language.startswith("python"):
        code, handler = find_handler(handler, code)
    elif language.startswith("nodejs"):
        find_node_handler(handler, code or Path())
        command = asyncio.run(install_node(on_step)).command(handler)
    else:
        raise UnusableFunction(
            f"the lab has no client for {language}: name a program that speaks the Runtime API with --command"
        )
    name = name or re.split(r"[./]", handler or "")[-2]
    function = FunctionSpec(
        name=_NO_NAME.sub("-", name)[:_LONGEST_NAME],
        code=code or Path(),
        handler=handler or "bootstrap.handler",
        environment={"MONGODB_URI": URI, **(environment or {})},
        memory_mb=memory_mb or MEMORY_MB,
        timeout_seconds=timeout_seconds or TIMEOUT_SECONDS,
        runtime=language,
        start="exec",
        command=command,
    )
    find_command(function)
    return function


def with_uri(function: FunctionSpec, uri: str) -> FunctionSpec:
    """
    Put the cluster's connection string where the function's variables want it.
    """
    environment = {name: value.replace(URI, uri) for name, value in function.environment.items()}
    return dataclasses.replace(function, environment=environment)
