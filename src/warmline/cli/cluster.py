"""
``warmline lab cluster``: an Atlas-like cluster to try things on.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from warmline.lab.atlas import AtlasCluster, AtlasSpec, start_atlas
from warmline.lab.atlas.front import AccessList, Denial
from warmline.lab.atlas.spec import Auth, Kind
from warmline.lab.aws.function import ACCOUNT
from warmline.lab.errors import ClusterStartError, LabError
from warmline.lab.iam import environment
from warmline.lab.workspace import Workspace

from .console import fail, told

cluster = typer.Typer(name="cluster", help="Run an Atlas-like cluster on this machine.", no_args_is_help=True)

_POLL_SECONDS = 0.5


@cluster.callback()
def group() -> None:
    """
    Run an Atlas-like cluster on this machine.
    """


@cluster.command()
def up(
    program: Annotated[
        list[str] | None, typer.Argument(help="A program to run with the cluster's names, after --; then all ends.")
    ] = None,
    kind: Annotated[Kind, typer.Option(help="A replica set, or the look of a sharded cluster.")] = "replica-set",
    members: Annotated[int, typer.Option(help="How many servers: 1, 3, 5 or 7.")] = 3,
    auth: Annotated[Auth, typer.Option(help="How clients log in: not, by SCRAM, or by MONGODB-AWS too.")] = "scram",
    tls: Annotated[bool, typer.Option(help="TLS, as always on Atlas.")] = True,
    tier: Annotated[str | None, typer.Option(help="The limits of an Atlas tier, M10 say.")] = None,
    faces: Annotated[int, typer.Option(help="How many mongos a sharded cluster shows.")] = 30,
    allow: Annotated[
        list[str] | None, typer.Option(help="An address or CIDR block of the access list; may be repeated.")
    ] = None,
    denial: Annotated[Denial, typer.Option(help="What an address that is not listed gets.")] = "alert",
    role: Annotated[str, typer.Option(help="With --auth iam: the IAM role that is a database user.")] = "orders",
    mongod: Annotated[Path | None, typer.Option(help="The MongoDB server to use instead of the one found.")] = None,
) -> None:
    """
    Start a cluster, print how to reach it, and keep it until Ctrl-C.

    Examples:
        warmline lab cluster up

        warmline lab cluster up --tier M10 --auth iam -- python app.py

        warmline lab cluster up --kind sharded --allow 10.0.0.0/8 -- bash

    """
    exit_code = 0
    try:
        listed = AccessList(tuple(allow), denial) if allow else None
        spec = AtlasSpec(kind, members, tls, auth, tier, faces, listed)
        with _running(spec, mongod) as running:
            variables = _variables(running, role)
            if program:
                command = running.resolver.command(program)
                done = subprocess.run(command, env=running.environ({**os.environ, **variables}), check=False)
                exit_code = done.returncode
            else:
                _tell(running, variables)
                _watch(running)
    except (LabError, ValueError, OSError) as error:
        fail(told(error))
    except KeyboardInterrupt:
        typer.echo("warmline: stopped; everything that was started has ended", err=True)
    raise typer.Exit(exit_code)


@contextmanager
def _running(spec: AtlasSpec, mongod: Path | None) -> Iterator[AtlasCluster]:
    with Workspace() as workspace, start_atlas(workspace, spec, mongod, lambda step: typer.echo(step, err=True)) as one:
        yield one


def _variables(running: AtlasCluster, role: str) -> dict[str, str]:
    """
    What a program needs in its environment: the URI, and with IAM the role's credentials.
    """
    variables = {"MONGODB_URI": running.uri()}
    if running.spec.auth == "iam":
        running.allow(f"arn:aws:iam::{ACCOUNT}:role/{role}")
        variables |= environment(running.identities.assume_role(role))
    return variables


def _tell(running: AtlasCluster, variables: dict[str, str]) -> None:
    spec, limits = running.spec, running.spec.limits
    typer.echo(f"# {spec.kind} of {spec.members} x mongod {running.servers.mongod_version}, auth {spec.auth}")
    if spec.tier:
        rate = f", {limits.new_per_second} new ones a second" if limits.new_per_second else ""
        typer.echo(f"# {spec.tier}: {limits.connections} connections on each node{rate}")
    typer.echo(f"# names: {running.resolver.explanation}")
    typer.echo("# for a program with these names and variables: add -- PROGRAM to this command, -- bash for a shell")
    typer.echo("# the secrets below are this run's only")
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
    if not spec.needs_front:
        typer.echo("# from any shell, without the lab's names, for mongosh too:")
        typer.echo(f"# {running.servers.uri}")
    typer.echo("# Ctrl-C ends it")


def _watch(running: AtlasCluster) -> None:
    """
    Wait until Ctrl-C, or until a server dies.
    """
    while all(server.is_running for server in running.servers.mongods):
        time.sleep(_POLL_SECONDS)
    dead = next(server for server in running.servers.mongods if not server.is_running)
    raise ClusterStartError(f"{dead.node.name} has ended while the cluster was in use; its log says why")
