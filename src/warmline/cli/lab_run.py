"""
``warmline lab run``: an experiment, a function of one's own under load, or a scenario.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from warmline.lab.atlas import AtlasSpec
from warmline.lab.atlas.spec import Auth, Kind
from warmline.lab.aws import StartMode
from warmline.lab.errors import LabError
from warmline.lab.experiments import EXPERIMENTS, RunOptions
from warmline.lab.load import parse_load
from warmline.lab.remote.client import Where
from warmline.lab.scenario import LoadedFunction, Scenario, read_scenario, run_scenario

from .again import again
from .console import fail, told
from .functions import Code, Command, Env, Memory, Runtime, Template, Timeout, described, one_of, read_event
from .lab_output import Measured, run_and_show
from .lab_remote import PANEL, ClusterUri, EndpointUrl, Region, Variants, deployed

_CLUSTER = "Its cluster"

_ENVIRONMENTS = 20


Target = Literal["lab", "aws"]

# Which options go with what.
_LOAD = ("load", "event")
_DESCRIPTION = (
    *("template", "code", "command", "runtime", "env", "timeout", "memory"),
    *("cluster", "members", "auth", "tls", "tier"),
)
_HERE_ONLY = (*_DESCRIPTION, "scenario", "start", "mongod")
_DEPLOYED_ONLY = ("region", "endpoint_url", "cluster_uri", "variant")


def run(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[EXPERIMENT]", help="A name from `warmline lab list`.")] = None,
    environments: Annotated[
        int | None,
        typer.Option(
            "--environments",
            "--concurrency",
            min=1,
            max=2000,
            help="How many execution environments each variant gets, or each case of it; a function's concurrency.",
            show_default="the experiment's own, mostly 20",
        ),
    ] = None,
    start: Annotated[
        StartMode | None,
        typer.Option(
            help="How environments start: forked with the driver imported (fast), or a new interpreter each.",
            show_default="zygote for experiments, exec for your own function",
        ),
    ] = None,
    mongod: Annotated[Path | None, typer.Option(help="The MongoDB server to use instead of the one found.")] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write the result as JSON to this file; - is standard output.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the result as one self-contained page to this file.")] = None,
    csv: Annotated[
        Path | None,
        typer.Option(help="Write its values for a spreadsheet to this file, a line each; - is standard output."),
    ] = None,
    function: Annotated[
        str | None, typer.Option(metavar="HANDLER", help="As app.lambda_handler; with --template a logical id.")
    ] = None,
    load: Annotated[
        list[str] | None,
        typer.Option(
            help="When it is invoked, as 'ramp:0..50/s for 60s'; may be repeated.",
            show_default="all environments at once, then 10/s for 10s",
        ),
    ] = None,
    event: Annotated[
        Path | None,
        typer.Option(help="A file with the event, JSON; - is standard input.", show_default="{}"),
    ] = None,
    template: Template = None,
    code: Code = None,
    command: Command = None,
    runtime: Runtime = None,
    env: Env = None,
    timeout: Timeout = None,
    memory: Memory = None,
    scenario: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Functions, their load, a cluster and what happens meanwhile, in TOML."),
    ] = None,
    target: Annotated[
        Target,
        typer.Option(help="Run it here, or against functions that are deployed already.", rich_help_panel=PANEL),
    ] = "lab",
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    cluster_uri: ClusterUri = None,
    variant: Variants = None,
    cluster: Annotated[
        Kind, typer.Option(help="A replica set, or the look of a sharded cluster.", rich_help_panel=_CLUSTER)
    ] = "replica-set",
    members: Annotated[int, typer.Option(help="How many servers: 1, 3, 5 or 7.", rich_help_panel=_CLUSTER)] = 3,
    auth: Annotated[
        Auth, typer.Option(help="How clients log in: not, by SCRAM, or by MONGODB-AWS.", rich_help_panel=_CLUSTER)
    ] = "scram",
    tls: Annotated[bool, typer.Option(help="TLS, as always on Atlas.", rich_help_panel=_CLUSTER)] = True,
    tier: Annotated[
        str | None, typer.Option(help="The limits of an Atlas tier, M10 say.", rich_help_panel=_CLUSTER)
    ] = None,
) -> None:
    """
    Run one experiment, your own function under load, or a scenario, and show what came out.

    Examples:
        warmline lab run reuse-client

        warmline lab run reuse-client --environments 300 --html result.html

        warmline lab run reuse-client --json - | jq .ratios

        warmline lab run --function app.lambda_handler --event event.json --load "constant:20/s for 30s"

        warmline lab run --template template.yaml --function OrdersFunction

        warmline lab run --scenario step-down.toml

        warmline lab run --target aws --function orders --load "poisson:20/s for 60s" --cluster-uri "mongodb+srv://…"

    """
    is_function = any(each is not None for each in (function, command, template))
    if sum((name is not None, is_function, scenario is not None)) > 1:
        fail("an experiment, --function and --scenario are three things to run: name one of them")
    for option, reason in _refused(target, is_function=is_function, is_scenario=scenario is not None).items():
        # Some versions of Typer bring a click of their own, so the enum's member is known by its name.
        if getattr(context.get_parameter_source(option), "name", "") == "COMMANDLINE":
            fail(f"--{option.replace('_', '-')} {reason}")
    concurrency = environments or _ENVIRONMENTS
    try:
        if target == "aws":
            title, measured = deployed(
                name,
                function,
                variant,
                loads=load or _loads(concurrency),
                concurrency=concurrency,
                event=event,
                where=Where(region, endpoint_url),
                cluster_uri=cluster_uri,
            )
        elif scenario is not None:
            title, measured = _scenario(read_scenario(scenario), mongod)
        elif is_function:
            found = one_of(
                described(
                    function if template is None else None,
                    template=template,
                    function=function if template is not None else None,
                    code=code,
                    command=command,
                    runtime=runtime,
                    env=env,
                    timeout=timeout,
                    memory=memory,
                ),
                template,
            )
            concurrency = environments or found.reserved_concurrency or _ENVIRONMENTS
            spec = dataclasses.replace(found, reserved_concurrency=concurrency, start=start or found.start)
            alone = Scenario(
                name=spec.name,
                title=f"{spec.name} under load",
                functions=(
                    LoadedFunction(spec, tuple(map(parse_load, load or _loads(concurrency))), read_event(event)),
                ),
                cluster=AtlasSpec(cluster, members, tls, auth, tier),
                command=again(sys.argv[1:]),
            )
            title, measured = _scenario(alone, mongod)
        else:
            title = f"warmline lab run {name}"
            measured = _experiment(name, environments, start or "zygote", mongod)
    except LabError as error:
        fail(told(error))
    run_and_show(title, measured, json=json, html=html, csv=csv)


def _refused(target: Target, *, is_function: bool, is_scenario: bool) -> dict[str, str]:
    """
    The options that this run does not take, and why.
    """
    if target == "aws":
        return dict.fromkeys(_HERE_ONLY, "is for what runs here, not for --target aws")
    refused = dict.fromkeys(_DEPLOYED_ONLY, "is for --target aws")
    if is_scenario:
        refused |= dict.fromkeys(("environments", "start"), "is for --function: the file says that itself")
    if not is_function:
        refused |= dict.fromkeys(
            (*_LOAD, *_DESCRIPTION), "is for --function: an experiment and a scenario say that themselves"
        )
    return refused


def _loads(concurrency: int) -> list[str]:
    return [f"burst:{concurrency}", "constant:10/s for 10s at 5s"]


def _scenario(scenario: Scenario, mongod: Path | None) -> tuple[str, Measured]:
    options = RunOptions(mongod=mongod)
    return scenario.title, lambda view: run_scenario(
        scenario, dataclasses.replace(options, on_bench=view.on_bench), view.on_progress
    )


def _experiment(name: str | None, environments: int | None, start: StartMode, mongod: Path | None) -> Measured:
    if name is None:
        fail("name an experiment, `warmline lab list` shows them, your own function with --function, or a --scenario")
    experiment = next((experiment for experiment in EXPERIMENTS if experiment.name == name), None)
    if experiment is None:
        fail(f"there is no experiment {name!r}: `warmline lab list` shows them")
    options = RunOptions(environments=environments or experiment.environments, start=start, mongod=mongod)
    return lambda view: experiment.run(dataclasses.replace(options, on_bench=view.on_bench), view.on_progress)
