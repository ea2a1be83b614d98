"""
``warmline lab invoke``: one function of the user's, invoked in one environment.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from warmline.lab.aws import FunctionSpec
from warmline.lab.errors import LabError
from warmline.lab.own import open_session

from .console import INTERRUPTED, fail, told
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
    one_of,
    read_event,
    report,
)

_FUNCTION_FAILED = 1


def invoke(
    handler: Annotated[
        str | None, typer.Argument(help="The handler, app.lambda_handler; or a Python file with one handler.")
    ] = None,
    event: Annotated[
        Path | None, typer.Option(help="A file with the event, JSON; - is standard input.", show_default="{}")
    ] = None,
    template: Template = None,
    function: LogicalId = None,
    code: Code = None,
    command: Command = None,
    runtime: Runtime = None,
    env: Env = None,
    timeout: Timeout = None,
    memory: Memory = None,
    times: Annotated[int, typer.Option(min=1, help="How often, one invocation after the other.")] = 1,
    freeze: Annotated[float, typer.Option(min=0, help="Seconds that the environment is frozen in between.")] = 0,
    uri: Uri = None,
    mongod: MongodPath = None,
) -> None:
    """
    Invoke a function against a cluster of its own, in a real execution environment.

    The payload goes to standard output, logs and a REPORT line to standard error.
    Exit codes: 0, or 1 if the function failed, or 2 if the command could not do its work.

    Examples:
        warmline lab invoke app.lambda_handler --event event.json

        echo '{"id": 7}' | warmline lab invoke app.lambda_handler --event - --times 3 --freeze 5

        warmline lab invoke --template template.yaml --function OrdersFunction --event event.json

        warmline lab invoke --command ./bootstrap --code build --env TABLE=orders

        warmline lab invoke app.lambda_handler --uri mongodb://127.0.0.1:27017

    """
    try:
        found = described(
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
        payload = read_event(event)
        failed = asyncio.run(_invoked(one_of(found, template), payload, times, freeze, uri, mongod))
    except (LabError, OSError) as error:
        fail(told(error))
    except KeyboardInterrupt:
        typer.echo("warmline: stopped; everything that was started has ended", err=True)
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(_FUNCTION_FAILED if failed else 0)


async def _invoked(
    function: FunctionSpec, payload: bytes, times: int, freeze: float, uri: str | None, mongod: Path | None
) -> bool:
    """
    Invoke it so many times; return whether one failed.
    """
    failed = False
    async with open_session(uri=uri, mongod=mongod, on_step=lambda step: typer.echo(step, err=True)) as session:
        session.deploy(function)
        async with following(session) as logs:
            for number in range(times):
                if number:
                    await asyncio.sleep(freeze)
                result = await session.service.invoke(function.name, payload)
                await session.service.settled()
                failed = failed or result.function_error is not None
                logs.copy()
                typer.echo(report(result, session, function.memory_mb), err=True)
                typer.echo(result.payload.decode(errors="replace"))
            await session.service.end(function.name, how="shutdown")
    return failed
