"""
A sharded cluster of ten shards: a client that meets all thirty mongos, and one that is held to three.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path

from ..atlas import AtlasSpec
from ..aws import FunctionSpec, InvokeResult
from ..measure import connection_lives, machine, most_open, percentile, versions
from ..names.zone import REPLICA_SET_OPTIONS, SHARDED_OPTIONS
from .bench import AtlasBench, deploy, open_atlas_bench
from .experiment import Experiment, OnProgress, RunOptions, Variant
from .result import ConnectionSeries, Event, ExperimentResult, Latencies, Metric

NAME = "limit-hosts"

_FUNCTIONS = Path(__file__).with_name("functions") / "limit_hosts"

FACES = 30
OPERATIONS = 1_500
_STEP_SECONDS = 0.1


VARIANTS = (
    Variant("all-hosts", "all hosts", "documented"),
    Variant("srvMaxHosts-3", "srvMaxHosts=3", "documented", "srvMaxHosts=3"),
    Variant("warmline", "warmline", "with_warmline"),
)

METRICS = (
    Metric("sockets", f"connections of one environment after {OPERATIONS:,} operations"),
    Metric("hosts", "mongos that the client knows"),
    Metric("first_ping_ms_p50", "first operation of an environment, Init included, median (ms)", 1),
    Metric("operation_ms_mean", "one operation, mean (ms)", 2),
    Metric("errors", "failed invocations"),
)


@dataclass(frozen=True, slots=True)
class _Run:
    """
    What one variant left behind; ``app`` is the name on its connections.
    """

    app: str
    started: float
    seconds: float
    first: tuple[InvokeResult, ...]
    busy: InvokeResult
    sockets: int
    events: tuple[Event, ...]


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Start each variant's environments one after the other, then have one of them do all the operations.
    """
    on_progress("starting the cluster", 0.0)
    spec = AtlasSpec(kind="sharded", faces=FACES)
    async with open_atlas_bench(options, spec, lambda step: on_progress(step, 0.02)) as bench:
        runs = {}
        for number, variant in enumerate(VARIANTS):
            on_progress(variant.label, 0.1 + 0.8 * number / len(VARIANTS))
            runs[variant.name] = await _run_variant(variant, bench, options)
        on_progress("srvMaxHosts on a replica set", 0.92)
        refused = await _on_a_replica_set(bench, options)
        return _result(bench, options, runs, refused)


def _deploy(bench: AtlasBench, variant: Variant, options: RunOptions, name: str) -> str:
    spec = FunctionSpec(name, _FUNCTIONS, f"{variant.handler}.lambda_handler", timeout_seconds=120)
    return deploy(bench.service, bench.cluster, spec, options, uri_options=variant.options)


async def _run_variant(variant: Variant, bench: AtlasBench, options: RunOptions) -> _Run:
    first = []
    # One at a time: what a cold start takes, not what the machine's two cores make of many.
    for number in range(options.environments):
        name = f"{NAME}-{variant.name}-{number}"
        _deploy(bench, variant, options, name)
        first.append(await bench.service.invoke(name, _event(1)))
        await bench.service.end(name, how="kill")
    name = f"{NAME}-{variant.name}"
    app = _deploy(bench, variant, options, name)
    working = time.monotonic()
    busy = await bench.service.invoke(name, _event(OPERATIONS))
    samples = await asyncio.to_thread(bench.sampler.now)
    sockets = sum(sample.by_app.get(app, 0) for sample in samples.values())
    await bench.service.end(name, how="kill")
    ended = time.monotonic()
    events = (Event(0.0, f"{OPERATIONS:,} operations"),)
    return _Run(app, working, ended - working, tuple(first), busy, sockets, events)


async def _on_a_replica_set(bench: AtlasBench, options: RunOptions) -> str:
    """
    Let the TXT record say that the cluster is a replica set, and return what srvMaxHosts=3 then makes of it.
    """
    names = bench.cluster.names
    sharded = names.behaviour
    txt = {name: text.replace(SHARDED_OPTIONS, REPLICA_SET_OPTIONS) for name, text in sharded.zone.txt.items()}
    names.behaviour = dataclasses.replace(sharded, zone=dataclasses.replace(sharded.zone, txt=txt))
    _, limited, _ = VARIANTS
    name = f"{NAME}-replica-set"
    _deploy(bench, limited, options, name)
    answer = json.loads((await bench.service.invoke(name, _event(1))).payload)
    await bench.service.end(name, how="kill")
    names.behaviour = sharded
    return f"{answer['errorType']}: {answer['errorMessage']}"


def _event(operations: int) -> bytes:
    return json.dumps({"operations": operations}).encode()


def _result(bench: AtlasBench, options: RunOptions, runs: dict[str, _Run], refused: str) -> ExperimentResult:
    variants = {name: _metrics(run) for name, run in runs.items()}
    every, three = variants["all-hosts"], variants["srvMaxHosts-3"]
    return ExperimentResult(
        experiment=NAME,
        title="Thirty mongos, or three of them",
        question="What does one environment's client cost a sharded cluster of ten shards?",
        answer=(
            f"After {OPERATIONS:,} operations one environment holds {every['sockets']:.0f} connections, and "
            f"{three['sockets']:.0f} with srvMaxHosts=3."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={
            "sockets_all-hosts_to_srvMaxHosts-3": every["sockets"] / three["sockets"],
            "first_ping_ms_p50_all-hosts_to_srvMaxHosts-3": every["first_ping_ms_p50"] / three["first_ping_ms_p50"],
        },
        machine=machine(),
        versions=versions(bench.cluster.servers.mongod_version),
        parameters={
            "environments": options.environments,
            "start": options.start,
            "faces": FACES,
            "operations": OPERATIONS,
            "names": bench.cluster.resolver.name,
        },
        connections=tuple(_series(bench, name, run) for name, run in runs.items()),
        latencies=tuple(
            Latencies(name, tuple(result.latency_ms for result in run.first), ()) for name, run in runs.items()
        ),
        events={name: run.events for name, run in runs.items()},
        notes=(
            f"On a replica set, whose TXT record names replicaSet, srvMaxHosts=3 does not work: {refused}",
            "warmline reads the TXT record first, and sets srvMaxHosts=3 because it names no replica set.",
            "The mongos are the lab's: a proxy before a replica set, with which a driver reports a sharded cluster.",
            "Latencies are with that proxy, which runs on the same cores.",
        ),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
    )


def _metrics(run: _Run) -> dict[str, float]:
    results = (*run.first, run.busy)
    return {
        "sockets": run.sockets,
        "hosts": json.loads(run.busy.payload) if run.busy.function_error is None else 0,
        "first_ping_ms_p50": percentile([result.latency_ms for result in run.first], 50),
        "operation_ms_mean": run.busy.duration_ms / OPERATIONS,
        "errors": sum(result.function_error is not None for result in results),
    }


def _series(bench: AtlasBench, variant: str, run: _Run) -> ConnectionSeries:
    lives = [
        life for node in bench.cluster.servers.nodes for life in connection_lives(node.log_path) if life.app == run.app
    ]
    counts = most_open(lives, run.started + time.time() - time.monotonic(), run.seconds + 1.0, _STEP_SECONDS)
    seconds = tuple(round(number * _STEP_SECONDS, 3) for number in range(len(counts)))
    return ConnectionSeries(variant, "all mongos", seconds, tuple(counts))


EXPERIMENT = Experiment(NAME, "all mongos of a sharded cluster, or three of them", run)
