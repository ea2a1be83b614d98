"""
Node.js handlers that take a callback, with and without waiting for an empty event loop, and one that is async.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..aws import FunctionSpec, InvokeResult
from ..measure import connection_lives, machine, percentile, versions
from ..node import Node, install_node
from .bench import DOCUMENTS, Bench, deploy, invoke_all, open_bench
from .experiment import Experiment, OnProgress, RunOptions, Variant
from .result import ExperimentResult, Metric

NAME = "event-loop"

_FUNCTIONS = Path(__file__).with_name("functions") / "event_loop"

ROUNDS = 4

# Lambda's default. Callbacks are of Node.js 22 and before: from 24 on Lambda calls no such handler.
TIMEOUT_SECONDS = 3.0
_RUNTIME = "nodejs22.x"

VARIANTS = (
    Variant("waits", "callback that waits", "waits.handler"),
    Variant("closes", "callback that waits, client closed each time", "closes.handler"),
    Variant("documented", "callback that does not wait", "documented.handler"),
    Variant("async", "async handler", "async.handler"),
)

METRICS = (
    Metric("timed_out", "invocations that end with 'Task timed out'"),
    Metric("other_errors", "invocations that fail otherwise"),
    Metric("environments_reset", "environments reset after a timeout"),
    Metric("connections_created", "connections created, all nodes"),
    Metric("answered_ms_p50", "the caller's wait, median (ms)", 1),
    Metric("primary_connections_per_environment", "connections kept open per environment, primary", 2),
    Metric("secondary_connections_per_environment", "connections kept open per environment, each secondary", 2),
)


@dataclass(frozen=True, slots=True)
class _Run:
    app: str
    results: tuple[InvokeResult, ...]
    kept: Mapping[str, float]


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Invoke every environment of each variant four times, frozen in between.

    :raises NodeUnavailable: there is no Node.js here, or the packages can't be installed.
    """
    # Before the cluster: it may be the end.
    on_progress("looking for Node.js", 0.0)
    node = await install_node(lambda step: on_progress(step, 0.01))
    on_progress("starting the cluster", 0.05)
    async with open_bench(options, lambda step: on_progress(step, 0.07)) as bench:
        runs = {}
        for number, variant in enumerate(VARIANTS):
            on_progress(variant.label, 0.1 + 0.9 * number / len(VARIANTS))
            runs[variant.name] = await _run_variant(variant, node, bench, options)
        return _result(bench, options, node, runs)


async def _run_variant(variant: Variant, node: Node, bench: Bench, options: RunOptions) -> _Run:
    name = f"{NAME}-{variant.name}"
    spec = FunctionSpec(
        name,
        _FUNCTIONS,
        variant.handler,
        environment={"NODE_PATH": str(node.packages)},
        timeout_seconds=TIMEOUT_SECONDS,
        runtime=_RUNTIME,
        command=node.command(variant.handler),
    )
    app = deploy(bench.service, bench.cluster, spec, options)
    results: list[InvokeResult] = []
    for number in range(ROUNDS):
        events = ({"id": (number * options.environments + each) % DOCUMENTS} for each in range(options.environments))
        results += await invoke_all(bench.service, name, events)
    live = len(list(bench.service.environments()))
    samples = await asyncio.to_thread(bench.sampler.now)
    kept = {bench.nodes[node]: sample.by_app.get(app, 0) / live if live else 0.0 for node, sample in samples.items()}
    await bench.service.end(name, how="kill")
    return _Run(app, tuple(results), kept)


def _metrics(run: _Run, created: int) -> dict[str, float]:
    failed = [result for result in run.results if result.function_error]
    timed_out = sum(b"Task timed out" in result.payload for result in failed)
    secondaries = [count for node, count in run.kept.items() if node != "primary"]
    return {
        "timed_out": timed_out,
        "other_errors": len(failed) - timed_out,
        "environments_reset": sum(result.reset for result in run.results),
        "connections_created": created,
        "answered_ms_p50": percentile([result.duration_ms for result in run.results], 50),
        "primary_connections_per_environment": run.kept.get("primary", 0.0),
        "secondary_connections_per_environment": sum(secondaries) / len(secondaries),
    }


def _result(bench: Bench, options: RunOptions, node: Node, runs: Mapping[str, _Run]) -> ExperimentResult:
    apps = [life.app for each in bench.cluster.nodes for life in connection_lives(each.log_path)]
    variants = {name: _metrics(run, apps.count(run.app)) for name, run in runs.items()}
    waits, closes, documented = variants["waits"], variants["closes"], variants["documented"]
    total = options.environments * ROUNDS
    return ExperimentResult(
        experiment=NAME,
        title="Callbacks and the event loop",
        question="What does a Node.js handler's caller get when the event loop is waited for?",
        answer=(
            f"Of {total} invocations whose callback had its result {waits['timed_out']:.0f} end with 'Task timed out' "
            f"where the event loop is waited for, and {documented['timed_out']:.0f} where it is not; to close the "
            f"client each time helps too and opens {closes['connections_created']:,.0f} connections instead of "
            f"{documented['connections_created']:,.0f}."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={
            "connections_created_closes_to_documented": closes["connections_created"]
            / documented["connections_created"],
            "answered_ms_p50_waits_to_documented": waits["answered_ms_p50"] / documented["answered_ms_p50"],
        },
        machine=machine(),
        versions={**versions(bench.cluster.mongod_version), "node": node.version, **node.package_versions()},
        parameters={
            "environments": options.environments,
            "invocations_each": ROUNDS,
            "timeout_seconds": TIMEOUT_SECONDS,
            "members": len(bench.cluster.nodes),
        },
        connections=(),
        latencies=(),
        events={},
        notes=(
            "Nothing here ran on AWS: AWS's own runtime client for Node.js, a real mongod, one machine.",
            "After a timeout Lambda resets the environment: the next invocation starts another, and all of them open "
            "their connections anew.",
            "warmline's runtime is for Python and has no part in this.",
        ),
        command=f"warmline lab run {NAME} --environments {options.environments}",
    )


EXPERIMENT = Experiment(
    NAME, "Node.js callbacks, with and without waiting for an empty event loop", run, environments=6
)
