"""
What the commands on a function of one's own have in common: the options that describe it, and what is told of it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from warmline.lab.aws import FunctionSpec, InvokeResult
from warmline.lab.aws.function import MAX_PAYLOAD_BYTES
from warmline.lab.errors import UnusableFunction
from warmline.lab.own import MEMORY_MB, TIMEOUT_SECONDS, Session, own_function, read_template

Code = Annotated[
    Path | None, typer.Option(help="The code folder.", show_default="this folder", metavar="DIR", exists=False)
]
Command = Annotated[
    str | None,
    typer.Option(help="A program that speaks the Runtime API, instead of Python's client: './bootstrap'."),
]
Runtime = Annotated[
    str | None,
    typer.Option(help="As AWS names it: nodejs22.x, provided.al2023, or a python.", show_default="python3.13"),
]
Env = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        help="A variable of the function; may be repeated. {uri} in it stands for the cluster's connection string, "
        "which MONGODB_URI has anyway.",
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(min=1, max=900, help="The function's timeout, in seconds.", show_default=f"{TIMEOUT_SECONDS:g}"),
]
Memory = Annotated[
    int | None,
    typer.Option(
        min=128, max=10_240, help="The function's memory, in MB; it sees the number.", show_default=f"{MEMORY_MB}"
    ),
]
Template = Annotated[
    Path | None,
    typer.Option(help="A SAM or CloudFormation template with the function; other options come before what it says."),
]
LogicalId = Annotated[
    str | None, typer.Option(metavar="LOGICAL_ID", help="The function in the template; needed where it has several.")
]
Uri = Annotated[
    str | None,
    typer.Option(metavar="mongodb://…", envvar="WARMLINE_LAB_URI", help="Your own cluster; without it one is started."),
]
MongodPath = Annotated[Path | None, typer.Option(help="The MongoDB server to use instead of the one found.")]

_FOLLOW_SECONDS = 0.05

# As variables are named on AWS.
# Source: https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html
_NAME = re.compile(r"[a-zA-Z]\w+")


def described(
    handler: str | None,
    *,
    template: Path | None,
    function: str | None,
    code: Path | None,
    command: str | None,
    runtime: str | None,
    env: list[str] | None,
    timeout: float | None,
    memory: int | None,
) -> tuple[FunctionSpec, ...]:
    """
    Describe the functions that the options name, and say how they differ from their template.

    :raises UnusableFunction: one of them can't be run, or there is none.
    """
    given: dict[str, Any] = {
        "code": code,
        "command": _words(command),
        "runtime": runtime,
        "environment": _variables(env),
        "memory_mb": memory,
        "timeout_seconds": timeout,
        "on_step": lambda step: typer.echo(step, err=True),
    }
    if template is None:
        if function is not None:
            raise UnusableFunction(f"--function {function} needs the template that it is in: --template template.yaml")
        return (own_function(handler, **given),)
    found = read_template(template, function=function, handler=handler, **given)
    for each in found:
        for note in each.notes:
            typer.echo(f"{each.spec.name}: {note}", err=True)
    return tuple(each.spec for each in found)


def one_of(found: tuple[FunctionSpec, ...], template: Path | None) -> FunctionSpec:
    """
    Return the one function, without those of its environments that are kept initialised.

    :raises UnusableFunction: the template has several.
    """
    if len(found) > 1:
        raise UnusableFunction(
            f"{template} has {len(found)} functions: name one with --function: {', '.join(each.name for each in found)}"
        )
    return dataclasses.replace(found[0], provisioned_concurrency=0)


def _variables(given: list[str] | None) -> dict[str, str]:
    """
    Read ``NAME=VALUE``.

    :raises UnusableFunction: one is not of that form. Its value is not shown: it may be a secret.
    """
    found = {}
    for each in given or ():
        name, equals, value = each.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise UnusableFunction(f"--env takes NAME=VALUE, the name of letters, digits and _, not {name!r}")
        found[name] = value
    return found


def _words(command: str | None) -> tuple[str, ...] | None:
    """
    Take a command apart as a shell does.

    :raises UnusableFunction: a quote in it is not closed.
    """
    try:
        return tuple(shlex.split(command)) if command is not None else None
    except ValueError as error:
        raise UnusableFunction(f"--command can't be read: {error}") from None


def read_event(file: Path | None) -> bytes:
    """
    Read an event, and check what Lambda would refuse.

    :raises UnusableFunction: it can't be read, is not JSON, or is too large.
    """
    if file is None:
        return b"{}"
    name = "standard input" if file == Path("-") else str(file)
    try:
        payload = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
        json.loads(payload)
    except OSError as error:
        raise UnusableFunction(
            f"can't read the event from {name}: {error.strerror}; --event takes a file, or - for standard input"
        ) from None
    except ValueError as error:
        raise UnusableFunction(f"the event in {name} is not JSON: {error}") from None
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise UnusableFunction(f"the event in {name} has {len(payload):,} bytes: Lambda takes {MAX_PAYLOAD_BYTES:,}")
    return payload


@asynccontextmanager
async def following(session: Session) -> AsyncIterator[_Logs]:
    """
    Copy what the environments print to standard error as it comes, to the end of the block.
    """
    logs = _Logs(session)
    task = asyncio.create_task(logs.follow())
    try:
        yield logs
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        logs.copy()


class _Logs:
    """
    The environments' logs, and how much of them has been shown.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shown: dict[Path, int] = {}

    async def follow(self) -> None:
        """
        Copy what is new, again and again.
        """
        while True:
            self.copy()
            await asyncio.sleep(_FOLLOW_SECONDS)

    def copy(self) -> None:
        """
        Copy what is new.
        """
        for log in self._session.environment_logs():
            with log.open("rb") as file:
                file.seek(self._shown.get(log, 0))
                new = file.read()
            self._shown[log] = self._shown.get(log, 0) + len(new)
            # Python's runtime client has a carriage return between the lines of one entry, for CloudWatch.
            sys.stderr.write(new.decode(errors="replace").replace("\r", "\n"))
        sys.stderr.flush()


def report(result: InvokeResult, session: Session, memory_mb: int) -> str:
    """
    Return a line as Lambda's REPORT, with the connections on each node.
    """
    what, counts = session.connections()
    parts = [f"REPORT RequestId: {result.request_id}", f"Duration: {result.duration_ms:.2f} ms"]
    if result.init_ms is not None:
        parts.append(f"Init Duration: {result.init_ms:.2f} ms")
    parts.append(f"Memory Size: {memory_mb} MB")
    parts.append(f"{what}: {', '.join(f'{node}: {count}' for node, count in counts.items()) or 'none'}")
    return "\t".join(parts)
