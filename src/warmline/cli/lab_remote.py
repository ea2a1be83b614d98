"""
``warmline lab run --target aws``: functions that are deployed already.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from warmline.lab.errors import UnusableFunction
from warmline.lab.experiments import reuse_client
from warmline.lab.load import parse_load
from warmline.lab.remote.client import Where
from warmline.lab.remote.figures import METRICS
from warmline.lab.remote.run import run_remote
from warmline.lab.remote.spec import RemoteRun, RemoteVariant, function_name

from .again import CLUSTER_URI_VARIABLE, again
from .functions import read_event
from .lab_output import Measured

PANEL = "Deployed functions"

Region = Annotated[
    str | None,
    typer.Option(help="The functions' region.", show_default="AWS's own configuration", rich_help_panel=PANEL),
]
EndpointUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="An endpoint other than AWS's.", show_default="the region's", rich_help_panel=PANEL
    ),
]
ClusterUri = Annotated[
    str | None,
    typer.Option(
        metavar="mongodb+srv://…",
        envvar=CLUSTER_URI_VARIABLE,
        help="The functions' cluster, to count their connections, by a user with the role clusterMonitor.",
        rich_help_panel=PANEL,
    ),
]
Variants = Annotated[
    list[str] | None,
    typer.Option(
        "--variant",
        metavar="NAME=FUNCTION",
        help="With reuse-client: which function is which of its variants; may be repeated.",
        rich_help_panel=PANEL,
    ),
]

# The experiments that need nothing but invocations and the cluster's counts.
_FROM_OUTSIDE = (reuse_client.NAME,)

# As often as the experiment in the lab calls: once for the cold starts, and these rounds, half a second apart.
_FIRST_ROUND_SECONDS = 5
_ROUNDS = 12

_PAYLOAD = b'{"id": 7}'


def deployed(
    experiment: str | None,
    function: str | None,
    variants: list[str] | None,
    *,
    loads: list[str],
    concurrency: int,
    event: Path | None,
    where: Where,
    cluster_uri: str | None,
) -> tuple[str, Measured]:
    """
    Describe a run of a function or an experiment; return its title, and what runs it.

    :param loads: the function's
    :param concurrency: how many invocations of the experiment run at once
    :raises UnusableFunction: it is not clear which functions are meant.
    """
    payload = read_event(event)
    if experiment is not None:
        rounds = [f"burst:{concurrency} at {_FIRST_ROUND_SECONDS + number / 2}s" for number in range(_ROUNDS)]
        run = RemoteRun(
            name=experiment,
            title="One client for each environment, on Lambda",
            variants=_variants(experiment, variants or []),
            loads=tuple(map(parse_load, (f"burst:{concurrency}", *rounds))),
            metrics=reuse_client.METRICS,
            payload=payload if event is not None else _PAYLOAD,
            where=where,
            cluster_uri=cluster_uri,
            command=again(sys.argv[1:]),
        )
    elif function is not None and not variants:
        name = function_name(function)
        run = RemoteRun(
            name=name,
            title=f"{name} under load, on Lambda",
            variants=(RemoteVariant(name, name, function),),
            loads=tuple(map(parse_load, loads)),
            metrics=METRICS,
            payload=payload,
            where=where,
            cluster_uri=cluster_uri,
            command=again(sys.argv[1:]),
        )
    else:
        raise UnusableFunction(
            "--target aws takes --function NAME, or an experiment with a --variant NAME=FUNCTION for each function"
        )
    return run.title, lambda view: run_remote(run, view.on_progress)


def _variants(experiment: str, given: list[str]) -> tuple[RemoteVariant, ...]:
    if experiment not in _FROM_OUTSIDE:
        raise UnusableFunction(
            f"{experiment} can't be run against Lambda: only {', '.join(_FROM_OUTSIDE)} needs nothing but invocations; "
            "the others freeze and end environments, or change the network"
        )
    labels = {variant.name: variant.label for variant in reuse_client.VARIANTS}
    found = []
    for each in given:
        name, equals, function = each.partition("=")
        if not equals or name not in labels:
            raise UnusableFunction(f"--variant takes NAME=FUNCTION, the name one of {', '.join(labels)}, not {each!r}")
        found.append(RemoteVariant(name, labels[name], function))
    if not found:
        raise UnusableFunction(f"name a function for each variant: --variant NAME=FUNCTION with {', '.join(labels)}")
    return tuple(found)
