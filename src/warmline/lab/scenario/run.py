"""
Runs a scenario: deploys its functions, gives them their load, ends their environments, and counts.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Sequence
from contextlib import closing

from ..atlas import AtlasCluster
from ..aws import FunctionSpec, LambdaService
from ..aws.concurrency import UNRESERVED_AT_LEAST, Quotas
from ..aws.function import ACCOUNT
from ..cluster import Role, connect_as
from ..errors import InitFailed, UnusableFunction
from ..experiments.bench import AtlasBench, open_atlas_bench
from ..experiments.experiment import OnProgress, RunOptions
from ..experiments.result import ExperimentResult
from ..iam import environment
from ..load import Call, drive, together
from ..measure import mean_memory_mib
from ..own import with_uri
from .figures import result_of
from .runs import FunctionRun, Run
from .spec import LoadedFunction, Scenario
from .timeline import Timeline

# On Atlas a user who is not told otherwise may read and write every database.
_ANY_DATABASE = Role("readWriteAnyDatabase")

# From the last environment's end to the count of what is left.
_AFTER_END_SECONDS = 2.0

# A session of the role outlasts any run.
_SESSION_SECONDS = 12 * 3600

# Enough for a mean; each takes the kernel a millisecond.
_MOST_MEASURED = 50

_PROGRESS_SECONDS = 0.5


async def run_scenario(scenario: Scenario, options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Run it on a cluster of its own.

    :raises InitFailed: a function's Init phase fails: it is tried once before any load is given.
    :raises UnusableFunction: a function can't run as it is.
    """
    for function in scenario.functions:
        _check(function)
    on_progress("starting the cluster", 0.0)
    async with open_atlas_bench(
        options, scenario.cluster, lambda step: on_progress(step, 0.02), quotas=_quotas(scenario)
    ) as bench:
        await asyncio.to_thread(_let_in, bench.cluster)
        for function in scenario.functions:
            on_progress(f"{function.name}: a trial of its Init phase", 0.08)
            await _try_init(bench, function)
        run = await _load(scenario, bench, on_progress)
        on_progress("reading the servers' logs", 0.98)
        return result_of(scenario, bench, run)


def _check(function: LoadedFunction) -> None:
    """
    A fork of a process that has imported PyMongo would not see the function's own.
    """
    code = function.spec.code
    if function.spec.start == "zygote" and (code / "pymongo").is_dir():
        raise UnusableFunction(f"{code} has a PyMongo of its own, which a forked environment can't use: --start exec")


def _quotas(scenario: Scenario) -> Quotas:
    """
    An account's, or more where the functions ask for more: AWS gives it of concurrency, and not of the scaling rate.
    """
    usual = Quotas()
    reserved = [function.spec.reserved_concurrency or 0 for function in scenario.functions]
    return Quotas(max(usual.concurrency, sum(reserved) + UNRESERVED_AT_LEAST), max(usual.scaling, *reserved))


def _let_in(cluster: AtlasCluster) -> None:
    """
    Let the functions' user, or their role, use every database.
    """
    users = cluster.servers.users
    if users is None:
        return
    if cluster.spec.auth == "iam":
        cluster.allow(_ROLE_ARN, roles=(_ANY_DATABASE,))
    with closing(connect_as(cluster.servers.primary(), users.admin)) as administrator:
        administrator.admin.command("grantRolesToUser", users.application.name, roles=[_ANY_DATABASE.as_document()])


_ROLE = "lab"
_ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{_ROLE}"


def deployed(function: LoadedFunction, cluster: AtlasCluster) -> FunctionSpec:
    """
    The function with the variables by which it finds the cluster.
    """
    spec = with_uri(function.spec, cluster.uri(options=f"appName={function.name}"))
    variables = dict(spec.environment)
    if cluster.spec.auth == "iam":
        variables |= environment(cluster.identities.assume_role(_ROLE, lifetime_seconds=_SESSION_SECONDS))
    return dataclasses.replace(spec, environment=cluster.environ(variables))


async def _try_init(bench: AtlasBench, function: LoadedFunction) -> None:
    """
    Let a wrong handler or an import that fails be one line now, and not a run full of failures.
    """
    spec = deployed(function, bench.cluster)
    trial = dataclasses.replace(spec, name=f"{spec.name}-trial", reserved_concurrency=None, provisioned_concurrency=0)
    bench.service.deploy(trial)
    try:
        await bench.service.prepare(trial.name, 1)
    except InitFailed as error:
        raise InitFailed(str(error).replace(trial.name, spec.name)) from None
    finally:
        await bench.service.end(trial.name, how="shutdown")


async def _load(scenario: Scenario, bench: AtlasBench, on_progress: OnProgress) -> Run:
    for function in scenario.functions:
        bench.service.deploy(deployed(function, bench.cluster))
    seconds = max((load.seconds for function in scenario.functions for load in function.loads), default=0.0)
    started = time.monotonic()
    timeline = Timeline(bench, lambda: {one.name: deployed(one, bench.cluster) for one in scenario.functions}, started)
    timeline.mark("load")
    progress = asyncio.create_task(_report(on_progress, seconds))
    try:
        async with together() as tasks:
            driven = [
                tasks.create_task(drive(bench.service, function.name, function.loads, payload=function.payload))
                for function in scenario.functions
            ]
            for event in scenario.events:
                tasks.create_task(timeline.play(event))
        await bench.service.settled()
    finally:
        progress.cancel()

    at_rest = await asyncio.to_thread(bench.sampler.now)
    on_progress("ending the environments", 0.9)
    timeline.mark("end")
    runs = [
        await _end(bench.service, function, task.result())
        for function, task in zip(scenario.functions, driven, strict=True)
    ]
    await asyncio.sleep(_AFTER_END_SECONDS)
    left = await asyncio.to_thread(bench.sampler.now)
    watched = time.monotonic() - started
    return Run(tuple(runs), timeline.events, timeline.failures, started, watched, at_rest, left)


async def _end(service: LambdaService, function: LoadedFunction, calls: Sequence[Call]) -> FunctionRun:
    environments = service.function(function.name).environments
    memory = mean_memory_mib(one.pid for one in environments[:_MOST_MEASURED])
    endings = await service.end(function.name, how="shutdown")
    return FunctionRun(function.name, tuple(calls), memory, tuple(endings))


async def _report(on_progress: OnProgress, seconds: float) -> None:
    began = time.monotonic()
    while True:
        passed = time.monotonic() - began
        share = min(1.0, passed / seconds) if seconds else 1.0
        on_progress("load" if passed < seconds else "waiting for the last answers", 0.1 + 0.8 * share)
        await asyncio.sleep(_PROGRESS_SECONDS)
