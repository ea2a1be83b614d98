"""
``warmline lab serve``: AWS's invoke path on loopback, in front of functions of the user's.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import errno
import shlex
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from warmline.lab.aws import FunctionSpec, InvokeEndpoint, InvokeResult
from warmline.lab.aws.function import REGION
from warmline.lab.aws.invoke_endpoint import PATH
from warmline.lab.errors import LabError, UnusableFunction
from warmline.lab.own import Reloading, Session, open_session

from .console import fail, told
from .functions import (
    Code,
    Command,
    Env,
    LogicalId,
    Memory,
    MongodPath,
    Runtime,
    Template,
    Timeout,
    Uri,
    described,
    following,
    report,
)

# As `sam local start-lambda` has it, so that what is written for that goes on working.
PORT = 3001

_ADDRESS = "127.0.0.1"
_WATCH_SECONDS = 0.5

# For the rest of what an invocation began: then its environment is frozen, and its line is written anyway.
_SETTLE_SECONDS = 0.3


def serve(
    handlers: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=]HANDLER…", help="Handlers, app.lambda_handler; the module's name is the name."),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port on 127.0.0.1; 0 takes a free one.")] = PORT,
    template: Template = None,
    function: LogicalId = None,
    code: Code = None,
    command: Command = None,
    runtime: Runtime = None,
    env: Env = None,
    timeout: Timeout = None,
    memory: Memory = None,
    uri: Uri = None,
    mongod: MongodPath = None,
) -> None:
    """
    Serve functions as Lambda does, for the AWS CLI, boto3 and curl, until Ctrl-C.

    A change of a file in a function's folder gives it new environments at the next invocation.

    Examples:
        warmline lab serve app.lambda_handler

        warmline lab serve orders=shop.orders.find items=shop.items.find --env STAGE=local

        warmline lab serve --template template.yaml --port 4000

        warmline lab serve --command ./bootstrap --code build

    """
    try:
        functions: list[FunctionSpec] = []
        for name, handler in _named(handlers, template):
            functions += (
                dataclasses.replace(each, name=name or each.name)
                for each in described(
                    handler,
                    template=template,
                    function=function,
                    code=code,
                    command=command,
                    runtime=runtime,
                    env=env,
                    timeout=timeout,
                    memory=memory,
                )
            )
        _check_names(functions)
        _check_port(port)
        asyncio.run(_served(functions, port, uri, mongod))
    except (LabError, OSError) as error:
        fail(told(error))
    except KeyboardInterrupt:
        typer.echo("warmline: stopped; everything that was started has ended", err=True)


def _named(handlers: list[str] | None, template: Path | None) -> list[tuple[str | None, str | None]]:
    """
    Take ``NAME=HANDLER`` apart.
    """
    if template is not None and handlers:
        raise UnusableFunction("a template names its functions' handlers: leave the handlers out, or --template")
    named: list[tuple[str | None, str | None]] = []
    for each in handlers or ():
        name, equals, handler = each.partition("=")
        named.append((name, handler) if equals else (None, each))
    return named or [(None, None)]


def _check_names(functions: Sequence[FunctionSpec]) -> None:
    names = [function.name for function in functions]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UnusableFunction(f"two functions are called {twice}: give each a name, as orders=app.lambda_handler")


def _check_port(port: int) -> None:
    """
    Say so before the seconds that the cluster takes, not after them.
    """
    with contextlib.closing(socket.socket()) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((_ADDRESS, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise LabError(f"port {port} of {_ADDRESS} is in use: choose another with --port, or 0 for any") from None


async def _served(functions: Sequence[FunctionSpec], port: int, uri: str | None, mongod: Path | None) -> None:
    async with (
        open_session(uri=uri, mongod=mongod, on_step=lambda step: typer.echo(step, err=True)) as session,
        following(session),
    ):
        reports: set[asyncio.Task[None]] = set()

        def on_result(spec: FunctionSpec, result: InvokeResult) -> None:
            task = asyncio.create_task(_report(session, spec, result))
            reports.add(task)
            task.add_done_callback(reports.discard)

        reloading = Reloading(
            session,
            functions,
            on_reload=lambda line: typer.echo(f"warmline: {line}", err=True),
            on_result=on_result,
        )
        async with InvokeEndpoint(reloading, port) as endpoint:
            _tell(functions, endpoint.url, session, own=uri is not None)
            while True:
                session.check_running()
                await asyncio.sleep(_WATCH_SECONDS)


async def _report(session: Session, spec: FunctionSpec, result: InvokeResult) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SETTLE_SECONDS):
            await session.service.settled()
    typer.echo(f"{spec.name}\t{report(result, session, spec.memory_mb)}", err=True)


def _tell(functions: Sequence[FunctionSpec], url: str, session: Session, *, own: bool) -> None:
    for each in functions:
        what = shlex.join(each.command) if each.command else each.handler
        typer.echo(f"# {each.name}: {what} in {each.code.resolve()}")
        typer.echo(
            f"aws lambda invoke --function-name {each.name} --endpoint-url {url} --region {REGION} --no-sign-request "
            "--cli-binary-format raw-in-base64-out --payload '{}' /dev/stdout"
        )
        typer.echo(f"curl -d '{{}}' {url}{PATH.format(name=each.name)}")
    if own:
        typer.echo("# on your cluster")
    else:
        typer.echo(f"# on {session.cluster}, which ends with this:")
        typer.echo(f"export MONGODB_URI={shlex.quote(session.uri)}")
    typer.echo("# a file that changes is taken up at the next invocation; Ctrl-C ends it")
