"""
Environments restored from snapshots: what the driver kept in memory, and what copies of it do.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from ..atlas import AtlasSpec
from ..atlas.front import Network
from ..aws import FunctionSpec, InvokeResult
from ..measure import connection_lives, machine, percentile, versions
from .bench import AtlasBench, deploy, open_atlas_bench
from .experiment import Experiment, OnProgress, RunOptions, Variant
from .result import ExperimentResult, Latencies, Metric, Waits

NAME = "snapstart"

_FUNCTIONS = Path(__file__).with_name("functions") / "snapstart"

_FACES = 30
# A restored environment has a CPU of its own on AWS. Here the next one waits until this one is likely to be done; those
# that wait for a network need no CPU, and do so at the same time.
_APART_SECONDS = 0.25
# The servers' logs and counters may be a moment late.
_AFTER_SECONDS = 0.5


VARIANTS = (
    Variant("documented", "connected at Init", "documented"),
    Variant("documented-lazy", "MongoDB's documented example", "documented_lazy"),
    Variant("warmline", "warmline", "with_warmline"),
)

METRICS = (
    Metric("first_operation_ms_p50", "first operation after the restore, median (ms)", 1),
    Metric("first_operation_ms_max", "first operation after the restore, longest (ms)", 1),
    Metric("lost_writes", "acknowledged writes that are not there"),
    Metric("mongos_choices", "different choices of three mongos out of thirty"),
    Metric("busiest_mongos_percent", "environments that chose the most chosen mongos (%)"),
    Metric("distinct_object_ids", "different ObjectIds that the environments would make in one second"),
    Metric("restore_ms_p50", "restore with its hooks, median (ms)", 1),
    Metric("request_ms_p50", "first request, restore included, median (ms)", 1),
    Metric("connections_in_snapshot", "connections open while the snapshot is taken, per environment", 2),
    Metric("dead_connections", "of these the server still keeps after the restore, per environment", 2),
    Metric("errors", "failed invocations"),
)


@dataclass(frozen=True, slots=True)
class _Restored:
    """
    What the environments of one variant did on one cluster.
    """

    results: tuple[InvokeResult, ...]
    in_snapshot: int
    dead: int
    written: int

    @property
    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(result.payload) for result in self.results if result.function_error is None]


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Restore every variant's snapshots on a replica set, and on a sharded cluster.
    """
    replica_set = await _restore_on(AtlasSpec(through_front=True), options, on_progress, 0.0)
    sharded = await _restore_on(AtlasSpec(kind="sharded", faces=_FACES), options, on_progress, 0.5)
    return _result(options, replica_set, sharded)


@dataclass(frozen=True, slots=True)
class _Cluster:
    mongod: str
    restored: dict[str, _Restored]


async def _restore_on(spec: AtlasSpec, options: RunOptions, on_progress: OnProgress, done: float) -> _Cluster:
    on_progress("starting the cluster", done)
    async with open_atlas_bench(
        options, spec, lambda step: on_progress(step, done + 0.01), runnable=options.environments
    ) as bench:
        restored = {}
        for step, variant in enumerate(VARIANTS):
            on_progress(f"{variant.label}, {spec.kind}", done + 0.05 + 0.45 * step / len(VARIANTS))
            restored[variant.name] = await _restore_all(variant, bench, options)
        return _Cluster(bench.cluster.servers.mongod_version, restored)


async def _restore_all(variant: Variant, bench: AtlasBench, options: RunOptions) -> _Restored:
    """
    Take the snapshots one after the other, lose their flows, restore each, and have it write one order.
    """
    cluster, service = bench.cluster, bench.service
    collection = f"{NAME}-{variant.name}"
    functions = [f"{collection}-{number}" for number in range(options.environments)]
    apps = set()
    # All copies come of one Init, which has seen one answer.
    cluster.names.behaviour = dataclasses.replace(cluster.names.behaviour, shuffle=False)
    for function in functions:
        spec = FunctionSpec(
            function,
            _FUNCTIONS,
            f"{variant.handler}.lambda_handler",
            timeout_seconds=60,
            initialization="snap-start",
        )
        uri_options = "srvMaxHosts=3" if cluster.spec.kind == "sharded" else ""
        apps.add(deploy(service, cluster, spec, options, uri_options=uri_options))
        await service.prepare(function, 1)
    cluster.names.behaviour = dataclasses.replace(cluster.names.behaviour, shuffle=True)
    await asyncio.sleep(_AFTER_SECONDS)
    samples = await asyncio.to_thread(bench.sampler.now)
    in_snapshot = sum(sample.by_app.get(app, 0) for sample in samples.values() for app in apps)
    taken = time.time()
    cluster.lay(Network(black_hole="existing"))

    async def restore(number: int, function: str) -> InvokeResult:
        await asyncio.sleep(number * _APART_SECONDS)
        return await service.invoke(function, json.dumps({"collection": collection, "order": number}).encode())

    results = await asyncio.gather(*(restore(number, function) for number, function in enumerate(functions)))
    await asyncio.sleep(_AFTER_SECONDS)
    dead = _still_open(bench, apps, taken)
    for function in functions:
        await service.end(function, how="kill")
    return _Restored(tuple(results), in_snapshot, dead, await asyncio.to_thread(_count, bench, collection))


def _still_open(bench: AtlasBench, apps: Collection[str], before: float) -> int:
    """
    The connections on all nodes that were opened before this moment and have not ended.
    """
    lives = (life for node in bench.cluster.servers.nodes for life in connection_lives(node.log_path))
    return sum(life.app in apps and life.opened < before and life.ended == float("inf") for life in lives)


def _count(bench: AtlasBench, collection: str) -> int:
    with MongoClient[dict[str, Any]](bench.cluster.servers.uri, appName="warmline-lab") as client:
        return client["shop"][collection].count_documents({})


def _metrics(on_replica_set: _Restored, on_sharded: _Restored) -> dict[str, float]:
    size = len(on_replica_set.results)
    first = [answer["milliseconds"] for answer in on_replica_set.answers]
    restores = [result.init_ms for result in on_replica_set.results if result.init_ms is not None]
    choices = [tuple(answer["mongos"]) for answer in on_sharded.answers]
    chosen = Counter(mongos for choice in choices for mongos in choice)
    return {
        "first_operation_ms_p50": percentile(first, 50),
        "first_operation_ms_max": max(first, default=float("nan")),
        "lost_writes": len(first) - on_replica_set.written,
        "mongos_choices": len(set(choices)),
        "busiest_mongos_percent": 100 * max(chosen.values(), default=0) / size,
        "distinct_object_ids": len({answer["object_id"] for answer in on_replica_set.answers}),
        "restore_ms_p50": percentile(restores, 50),
        "request_ms_p50": percentile([result.latency_ms for result in on_replica_set.results], 50),
        "connections_in_snapshot": on_replica_set.in_snapshot / size,
        "dead_connections": on_replica_set.dead / size,
        "errors": sum(
            result.function_error is not None for one in (on_replica_set, on_sharded) for result in one.results
        ),
    }


def _result(options: RunOptions, replica_set: _Cluster, sharded: _Cluster) -> ExperimentResult:
    variants = {name: _metrics(restored, sharded.restored[name]) for name, restored in replica_set.restored.items()}
    documented, ours = variants["documented"], variants["warmline"]
    return ExperimentResult(
        experiment=NAME,
        title="Copies of one snapshot",
        question="What becomes of a client that was connected when the snapshot was taken?",
        answer=(
            f"In {options.environments} restored environments the first write took "
            f"{documented['first_operation_ms_p50'] / 1000:.1f} s each, and {documented['lost_writes']:.0f} of these "
            f"acknowledged writes are not there; with warmline it took {ours['first_operation_ms_p50']:.0f} ms, and "
            f"{ours['lost_writes']:.0f} are missing."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={
            f"{metric}_{name.replace('-', '_')}_to_warmline": variants[name][metric] / ours[metric]
            for name in ("documented", "documented-lazy")
            for metric in ("first_operation_ms_p50", "request_ms_p50")
        },
        machine=machine(),
        versions=versions(replica_set.mongod),
        parameters={"environments": options.environments, "start": options.start, "faces": _FACES},
        connections=(),
        latencies=tuple(
            Latencies(name, tuple(result.latency_ms for result in restored.results), ())
            for name, restored in replica_set.restored.items()
        ),
        waits=Waits("Restores", "The first invocation of each environment, its restore included."),
        events={},
        notes=(
            "Nothing here ran on AWS. A process can't be copied as a microVM's memory is: each environment is restored "
            "from a snapshot of its own, and what the copies of one would share is made equal while Init runs, for all "
            "variants alike: random's state, the random part and the counter of ObjectId, and the client's unused "
            "server sessions.",
            "Between snapshot and restore the network loses the flows that are open, and lets new ones through.",
            "Lambda's default timeout is 3 s: a first operation that takes longer is 'Task timed out' there.",
            "The DNS server keeps the order of its answers while the snapshots are taken, as one Init sees one answer, "
            "and shuffles them afterwards. Where a resolver keeps the order, a client that connects after the restore "
            "draws the same mongos in every environment.",
        ),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
    )


EXPERIMENT = Experiment(NAME, "environments restored from a snapshot with a client in it", run)
