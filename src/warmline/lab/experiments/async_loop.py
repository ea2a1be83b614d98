"""
An asynchronous client in a loop for each invocation, a client for each invocation, and one loop for the environment.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from ..aws import FunctionSpec, InvokeResult
from ..measure import connection_lives, machine, percentile, versions
from .bench import DOCUMENTS, Bench, deploy, invoke_all, open_bench
from .experiment import Experiment, OnProgress, RunOptions, Variant
from .result import ExperimentResult, Latencies, Metric
from .series import Course, course

NAME = "async-loop"

_FUNCTIONS = Path(__file__).with_name("functions") / "async_loop"

# Of each environment.
_INVOCATIONS = 10


VARIANTS = (
    Variant("documented", "client at module level, asyncio.run", "documented"),
    Variant("per-invocation", "client per invocation, asyncio.run", "per_invocation"),
    Variant("warmline", "warmline", "with_warmline"),
)

METRICS = (
    Metric("failed_invocations", "failed invocations"),
    Metric("failed_of_warm_percent", "failed of the warm invocations (%)", 1),
    Metric("connections_created", "connections created, all nodes"),
    Metric("primary_connections_per_environment", "connections open at the end per environment, primary", 2),
    Metric("warm_ms_p50", "warm invocation that succeeded, median (ms)", 1),
    Metric("first_request_ms_p50", "first request of an environment, Init left out, median (ms)", 1),
)


@dataclass(frozen=True, slots=True)
class _Run:
    app: str
    results: tuple[InvokeResult, ...]
    on_primary: int
    course: Course


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Invoke every environment of each variant again and again, frozen in between.
    """
    on_progress("starting the cluster", 0.0)
    async with open_bench(options, lambda step: on_progress(step, 0.02)) as bench:
        runs = {}
        for number, variant in enumerate(VARIANTS):
            on_progress(variant.label, 0.1 + 0.9 * number / len(VARIANTS))
            runs[variant.name] = await _run_variant(variant, bench, options)
        return _result(bench, options, runs)


async def _run_variant(variant: Variant, bench: Bench, options: RunOptions) -> _Run:
    name = f"{NAME}-{variant.name}"
    spec = FunctionSpec(name, _FUNCTIONS, f"{variant.handler}.lambda_handler", timeout_seconds=60)
    app = deploy(bench.service, bench.cluster, spec, options)
    started = time.monotonic()
    results: list[InvokeResult] = []
    for number in range(_INVOCATIONS):
        results += await invoke_all(bench.service, name, [{"id": number % DOCUMENTS}] * options.environments)
    samples = await asyncio.to_thread(bench.sampler.now)
    on_primary = sum(sample.by_app.get(app, 0) for node, sample in samples.items() if bench.nodes[node] == "primary")
    await bench.service.end(name, how="kill")
    over_time = await asyncio.to_thread(course, bench, variant.name, {app}, started)
    return _Run(app, tuple(results), on_primary, over_time)


def _result(bench: Bench, options: RunOptions, runs: dict[str, _Run]) -> ExperimentResult:
    apps = [life.app for node in bench.cluster.nodes for life in connection_lives(node.log_path)]
    variants = {name: _metrics(run, apps.count(run.app), options.environments) for name, run in runs.items()}
    documented, ours = variants["documented"], variants["warmline"]
    return ExperimentResult(
        experiment=NAME,
        title="Asynchronous handlers and their event loop",
        question="What becomes of an asynchronous client when each invocation makes its own event loop?",
        answer=(
            f"With asyncio.run in each invocation {documented['failed_of_warm_percent']:.0f} % of the warm invocations "
            f"fail; with one loop for the environment {ours['failed_invocations']:.0f} do."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={
            "connections_created_per-invocation_to_warmline": variants["per-invocation"]["connections_created"]
            / ours["connections_created"],
            "warm_ms_p50_per-invocation_to_warmline": variants["per-invocation"]["warm_ms_p50"] / ours["warm_ms_p50"],
        },
        machine=machine(),
        versions=versions(bench.cluster.mongod_version),
        parameters={
            "environments": options.environments,
            "start": options.start,
            "invocations_per_environment": _INVOCATIONS,
        },
        connections=tuple(series for run in runs.values() for series in run.course.connections),
        latencies=tuple(
            Latencies(
                name,
                tuple(result.latency_ms for result in run.results if result.cold),
                tuple(result.latency_ms for result in run.results if not result.cold and not result.function_error),
            )
            for name, run in runs.items()
        ),
        events={},
        notes=(
            "Nothing here ran on AWS: real runtime client, real mongod, one machine.",
            "An environment whose handler raises goes on, as on Lambda: all of its warm invocations are what fails.",
        ),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
        environments=tuple(series for run in runs.values() for series in run.course.environments),
    )


def _metrics(run: _Run, created: int, environments: int) -> dict[str, float]:
    warm = [result for result in run.results if not result.cold]
    failed = [result for result in run.results if result.function_error]
    return {
        "failed_invocations": len(failed),
        "failed_of_warm_percent": 100 * sum(result.function_error is not None for result in warm) / len(warm),
        "connections_created": created,
        "primary_connections_per_environment": run.on_primary / environments,
        "warm_ms_p50": percentile([result.duration_ms for result in warm if not result.function_error], 50),
        "first_request_ms_p50": percentile([result.duration_ms for result in run.results if result.cold], 50),
    }


EXPERIMENT = Experiment(NAME, "an event loop for each invocation, or one for the environment", run)
