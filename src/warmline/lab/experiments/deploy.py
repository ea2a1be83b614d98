"""
A function that is deployed again and again under load: the connections of old and new environments together.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..atlas import AtlasSpec
from ..atlas.front import Network
from ..aws import FunctionSpec, InvokeResult
from ..measure import ConnectionLife, connection_lives, machine, most_open, versions
from .bench import AtlasBench, invoke_all, open_atlas_bench, with_cluster
from .experiment import Experiment, OnProgress, RunOptions, Variant
from .result import ConnectionSeries, Event, ExperimentResult, Latencies, Metric, StateSeries
from .series import connections_over_time, environments_over_time

NAME = "deploy"

# What is deployed does the same as in the experiment on one environment's end.
_FUNCTIONS = Path(__file__).with_name("functions") / "shutdown"

DEPLOYS = 3
# How long an old environment stays that has nothing to do. AWS does not document it; it is a parameter of the lab's.
FADE_SECONDS = 3.0
# How long after the last old environment's end its connections are counted.
AFTER_SECONDS = 10.0

_PAUSE_SECONDS = 0.3
# Lambda gives an environment with an internal extension 500 ms, and one without none; then the microVM is gone, and
# with it the network: what is still open then ends without a FIN. It must be gone before the kernel can send one.
_BEFORE_KILL_SECONDS = 0.45
_BEFORE_END_SECONDS = -0.05


VARIANTS = (
    Variant("documented", "MongoDB's documented example", "none"),
    Variant("aws-sample", "AWS's sample of a graceful shutdown", "aws_sample"),
    Variant("warmline", "warmline", "with_warmline"),
)

METRICS = (
    Metric("primary_before", "connections before the first deploy, primary"),
    Metric("primary_peak", f"most connections during {DEPLOYS} deploys, primary"),
    Metric("primary_after", f"connections {AFTER_SECONDS:.0f} s after the last old environment's end, primary"),
    Metric("old_left", "of them of environments that are gone, all nodes"),
    Metric("old_gone_seconds", "from the end of the old environments to that of their last connection (s)", 2),
    Metric("old_environments_seconds", "how long old environments stayed after a deploy (s)", 1),
    Metric("invocations", "invocations"),
    Metric("cold_starts", "cold starts"),
    Metric("errors", "failed invocations"),
)


@dataclass(frozen=True, slots=True)
class _Deploy:
    """
    One deploy: when it was, and when the last environment of the version before was gone (wall clock).
    """

    at: float
    old_ended: float


@dataclass(frozen=True, slots=True)
class _Run:
    apps: tuple[str, ...]
    started: float
    ended: float
    deploys: tuple[_Deploy, ...]
    results: tuple[InvokeResult, ...]
    before: int
    after: int
    left: int
    events: tuple[Event, ...]
    connections: tuple[ConnectionSeries, ...]
    environments: tuple[StateSeries, ...]


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Give each variant the same load and the same deploys, one after the other on one cluster.
    """
    on_progress("starting the cluster", 0.0)
    spec = AtlasSpec(through_front=True)
    async with open_atlas_bench(options, spec, lambda step: on_progress(step, 0.02)) as bench:
        runs = {}
        for number, variant in enumerate(VARIANTS):

            def report(doing: str, done: float, label: str = variant.label, base: int = number) -> None:
                on_progress(f"{label}: {doing}", 0.1 + 0.9 * (base + done) / len(VARIANTS))

            runs[variant.name] = await _run_variant(number, bench, options, report)
        return _result(bench, options, runs)


async def _run_variant(number: int, bench: AtlasBench, options: RunOptions, report: OnProgress) -> _Run:
    variant = VARIANTS[number]
    name = f"{NAME}-{variant.name}"
    events = [{"do": "answer"}] * options.environments
    apps = [f"{name}:{version}" for version in range(1, DEPLOYS + 2)]
    # Each version's connections come from an address of their own, whose network can go.
    addresses = [f"127.161.{number}.{version}" for version in range(1, DEPLOYS + 2)]
    specs = [
        _spec(variant, bench, options, version=str(version), egress=address)
        for version, address in enumerate(addresses, 1)
    ]
    began, started = time.monotonic(), time.time()
    report("first version", 0.0)
    bench.service.deploy(specs[0])
    results = await invoke_all(bench.service, name, events)
    results += await invoke_all(bench.service, name, events)
    before = await _open(bench, apps, primary=True)
    deploys = []
    marks = []
    for version in range(1, DEPLOYS + 1):
        report(f"deploy {version} of {DEPLOYS}", version / (DEPLOYS + 2))
        marks.append(Event(time.monotonic() - began, f"deploy {version}"))
        deployed = time.time()
        bench.service.update(name, specs[version], fade_seconds=FADE_SECONDS)
        ending = asyncio.create_task(_destroy(bench, variant, addresses[version - 1]))
        while not ending.done() or len(bench.service.function(name).environments) > options.environments:
            results += await invoke_all(bench.service, name, events)
            await asyncio.sleep(_PAUSE_SECONDS)
        await ending
        deploys.append(_Deploy(deployed, time.time()))
    report("waiting for what the old environments leave behind", (DEPLOYS + 1) / (DEPLOYS + 2))
    await asyncio.sleep(AFTER_SECONDS)
    after = await _open(bench, apps, primary=True)
    left = await _open(bench, apps[:-1], primary=False)
    connections = await asyncio.to_thread(connections_over_time, bench, variant.name, tuple(apps), began)
    environments = environments_over_time(bench, variant.name, began)
    ended = time.time()
    await bench.service.end(name, how="kill")
    return _Run(
        tuple(apps),
        started,
        ended,
        tuple(deploys),
        tuple(results),
        before,
        after,
        left,
        tuple(marks),
        connections,
        environments,
    )


def _spec(variant: Variant, bench: AtlasBench, options: RunOptions, *, version: str, egress: str) -> FunctionSpec:
    spec = FunctionSpec(
        f"{NAME}-{variant.name}",
        _FUNCTIONS,
        f"{variant.handler}.lambda_handler",
        timeout_seconds=60,
        version=version,
    )
    return with_cluster(bench.cluster, replace(spec, start=options.start), egress=egress)


async def _destroy(bench: AtlasBench, variant: Variant, address: str) -> None:
    """
    Take the network of the old environments away when Lambda would have taken their machine away.
    """
    told = variant.name != "documented"
    await asyncio.sleep(FADE_SECONDS + (_BEFORE_KILL_SECONDS if told else _BEFORE_END_SECONDS))
    bench.cluster.lay(Network(black_hole="existing"), source=address)


async def _open(bench: AtlasBench, apps: Sequence[str], *, primary: bool) -> int:
    samples = await asyncio.to_thread(bench.sampler.now)
    return sum(
        sample.by_app.get(app, 0)
        for node, sample in samples.items()
        for app in apps
        if not primary or bench.nodes[node] == "primary"
    )


def _result(bench: AtlasBench, options: RunOptions, runs: dict[str, _Run]) -> ExperimentResult:
    lives = {bench.nodes[node.name]: connection_lives(node.log_path) for node in bench.cluster.servers.nodes}
    variants = {name: _metrics(run, lives) for name, run in runs.items()}
    documented, ours = variants["documented"], variants["warmline"]
    return ExperimentResult(
        experiment=NAME,
        title="Deploys, and the connections of what was there before",
        question=f"What do {DEPLOYS} deploys in a row do to the connections of {options.environments} environments?",
        answer=(
            f"From {documented['primary_before']:.0f} connections on the primary they went up to "
            f"{documented['primary_peak']:.0f} with MongoDB's example and {ours['primary_peak']:.0f} with warmline; "
            f"{AFTER_SECONDS:.0f} s after the last old environment had ended, {documented['old_left']:.0f} and "
            f"{ours['old_left']:.0f} connections of such environments were still open, on all nodes."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={
            f"primary_peak_to_before_{name}": metrics["primary_peak"] / metrics["primary_before"]
            for name, metrics in variants.items()
        },
        machine=machine(),
        versions=versions(bench.cluster.servers.mongod_version),
        parameters={
            "environments": options.environments,
            "start": options.start,
            "freezer": bench.service.freezer.name,
            "members": len(bench.nodes),
            "deploys": DEPLOYS,
            "fade_seconds": FADE_SECONDS,
            "after_seconds": AFTER_SECONDS,
        },
        connections=tuple(series for run in runs.values() for series in run.connections),
        latencies=tuple(
            Latencies(
                name,
                tuple(result.latency_ms for result in run.results if result.cold),
                tuple(result.latency_ms for result in run.results if not result.cold),
            )
            for name, run in runs.items()
        ),
        events={name: run.events for name, run in runs.items()},
        notes=(
            "Nothing here ran on AWS: real runtime client, real mongod, one machine.",
            f"How long AWS keeps old environments is not documented: {FADE_SECONDS:.0f} s is the lab's, so that a run "
            "is short. The longer it is, the more deploys find old environments still there.",
            "When Lambda's Shutdown phase is over (at once without an extension, after 500 ms with one) the network of "
            "the old environments goes before their processes do: what they have not closed ends without a FIN, as "
            "with a microVM. The lab's front then keeps its side open; a server of Atlas's keeps it until keepalive "
            "gives up.",
        ),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
        environments=tuple(series for run in runs.values() for series in run.environments),
    )


def _metrics(run: _Run, lives: dict[str, list[ConnectionLife]]) -> dict[str, float]:
    mine = [life for life in lives["primary"] if life.app in run.apps]
    seconds = run.ended - run.started
    return {
        "primary_before": run.before,
        "primary_peak": most_open(mine, run.started, seconds, seconds)[0],
        "primary_after": run.after,
        "old_left": run.left,
        "old_gone_seconds": _finite(max(_gone_seconds(run, lives))),
        "old_environments_seconds": max(deploy.old_ended - deploy.at for deploy in run.deploys),
        "invocations": len(run.results),
        "cold_starts": sum(result.cold for result in run.results),
        "errors": sum(result.function_error is not None for result in run.results),
    }


def _gone_seconds(run: _Run, lives: dict[str, list[ConnectionLife]]) -> list[float]:
    """
    For each deploy, how long connections of the version before outlived the environments that had opened them.
    """
    return [
        max(
            0.0,
            *(
                life.ended - (deploy.at + FADE_SECONDS)
                for of_node in lives.values()
                for life in of_node
                if life.app == app
            ),
        )
        for app, deploy in zip(run.apps, run.deploys, strict=False)
    ]


def _finite(seconds: float) -> float:
    return seconds if math.isfinite(seconds) else math.nan


EXPERIMENT = Experiment(NAME, "old and new environments together when a function is deployed", run, environments=10)
