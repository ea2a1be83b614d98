"""
``warmline lab cluster``: an Atlas-like cluster to try things on.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
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
from warmline.lab.iam import Credentials, Role, environment
from warmline.lab.workspace import Workspace

from .console import FAILED, INTERRUPTED, fail, told

cluster = typer.Typer(name="cluster", help="Run an Atlas-like cluster on this machine.", no_args_is_help=True)

_POLL_SECONDS = 0.5

# The longest session of a role that AWS gives.
# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html
_SESSION_SECONDS = 12 * 3600


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
    if program and shutil.which(program[0]) is None:
        # Before the seconds that the cluster takes, not after them.
        fail(f"can't run {program[0]}: there is no such program on PATH; check what stands after --, or give its path")
    exit_code = 0
    try:
        listed = AccessList(tuple(allow), denial) if allow else None
        spec = AtlasSpec(kind, members, tls, auth, tier, faces, listed)
        user = Role(f"arn:aws:iam::{ACCOUNT}:role/{role}")
        with _running(spec, mongod) as running:
            credentials = _let_in(running, user) if auth == "iam" else None
            if program:
                exit_code = _run(program, running, credentials)
            else:
                _tell(running, credentials)
                _watch(running)
    except (LabError, ValueError, OSError) as error:
        fail(told(error))
    except KeyboardInterrupt:
        typer.echo("warmline: stopped; everything that was started has ended", err=True)
        # The way to end a cluster; but the program has not run.
        exit_code = INTERRUPTED if program else 0
    raise typer.Exit(exit_code)


@contextmanager
def _running(spec: AtlasSpec, mongod: Path | None) -> Iterator[AtlasCluster]:
    with Workspace() as workspace, start_atlas(workspace, spec, mongod, lambda step: typer.echo(step, err=True)) as one:
        yield one


def _let_in(running: AtlasCluster, role: Role) -> Credentials:
    """
    Make the role a database user, and start a session of it.
    """
    running.allow(role.arn)
    return running.identities.assume_role(role.arn.partition("role/")[2], lifetime_seconds=_SESSION_SECONDS)


def _run(program: list[str], running: AtlasCluster, credentials: Credentials | None) -> int:
    """
    Run a program with the cluster's names and variables; return its exit code, as a shell gives it.
    """
    typer.echo(running.resolver.explanation, err=True)
    if credentials:
        typer.echo(_end_of(credentials), err=True)
    variables = {"MONGODB_URI": running.uri(), **(environment(credentials) if credentials else {})}
    # Ctrl-C is the program's: a shell goes on, others end, and then the cluster does.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        command = running.resolver.command(program)
        code = subprocess.run(command, env=running.environ({**os.environ, **variables}), check=False).returncode
    except OSError as error:
        typer.echo(f"warmline: can't run {program[0]}: {error.strerror}", err=True)
        return FAILED
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code


def _tell(running: AtlasCluster, credentials: Credentials | None) -> None:
    spec, limits = running.spec, running.spec.limits
    typer.echo(f"# {spec.kind} of {spec.members} x mongod {running.servers.mongod_version}, auth {spec.auth}")
    if spec.tier:
        rate = f", {limits.new_per_second} new ones a second" if limits.new_per_second else ""
        typer.echo(f"# {spec.tier}: {limits.connections} connections on each node{rate}")
    typer.echo("# for any shell, mongosh and every driver; the secrets are this run's only")
    variables = {"MONGODB_URI": running.standard_uri(), **(environment(credentials) if credentials else {})}
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
    if "directConnection" in variables["MONGODB_URI"]:
        typer.echo("# it leads to the primary alone: the other members are known by the cluster's names only")
    if credentials:
        typer.echo(f"# {_end_of(credentials)}")
    typer.echo("# with mongodb+srv:// and the cluster's names, as on Atlas: add -- PROGRAM to this command, or -- bash")
    typer.echo("# Ctrl-C ends it")


def _end_of(credentials: Credentials) -> str:
    assert credentials.expires_at is not None  # noqa: S101  a session's
    end = credentials.expires_at.astimezone()
    return f"the role's credentials end at {end:%H:%M on %Y-%m-%d}, after 12 hours; then start the cluster again"


def _watch(running: AtlasCluster) -> None:
    """
    Wait until Ctrl-C, or until a server dies.
    """
    while all(server.is_running for server in running.servers.mongods):
        time.sleep(_POLL_SECONDS)
    dead = next(server for server in running.servers.mongods if not server.is_running)
    raise ClusterStartError(f"{dead.node.name} has ended while the cluster was in use; its log says why")
