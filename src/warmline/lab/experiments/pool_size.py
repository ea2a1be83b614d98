"""
How many connections an environment holds on each node, by the size of its pool and by what its handler does.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from warmline.runtime.defaults import DEFAULTS

from ..aws import FunctionSpec, InvokeResult
from ..measure import machine, percentile, versions
from .bench import Bench, deploy, invoke_all, open_bench
from .experiment import Experiment, OnProgress, RunOptions, Variant
from .result import ExperimentResult, Metric

NAME = "pool-size"

_FUNCTIONS = Path(__file__).with_name("functions") / "pool_size"

THREADS = 10
# So many that a client which chooses a secondary at random chooses each.
_OPERATIONS = 30
# PyMongo looks once in a second whether a pool has its minimum.
_BUSY_SECONDS = 1.5

VARIANTS = (
    Variant("documented", "MongoDB's documented example", "documented"),
    Variant("min-pool-size", "minPoolSize=5", "documented", "minPoolSize=5"),
    Variant("max-pool-size", "maxPoolSize=1", "documented", "maxPoolSize=1"),
    Variant("warmline", "warmline", "with_warmline"),
)

# The least and the most connections of each variant's pools; PyMongo's own are 0 and 100.
_POOLS = {
    "documented": (0, 100),
    "min-pool-size": (5, 100),
    "max-pool-size": (0, 1),
    "warmline": (0, next(int(str(default.value)) for default in DEFAULTS if default.name == "maxPoolSize")),
}


@dataclass(frozen=True, slots=True)
class Case:
    """
    What a handler does: in how many threads, with which options, and whether it reads from the secondaries.
    """

    name: str
    label: str
    threads: int = 1
    options: str = ""
    from_secondaries: bool = False

    def planned(self, variant: Variant) -> tuple[int, int]:
        """
        The connections of one environment on the primary, and on each secondary, by the arithmetic of the practice.

        A monitor on every node, and a pool: as many as operations run at once, between its least and its most.
        """
        least, most = _POOLS[variant.name]
        busy = max(least, min(self.threads, most))
        return 1 + (least if self.from_secondaries else busy), 1 + (busy if self.from_secondaries else least)


CASES = (
    Case("one", "One operation at a time"),
    Case("threads", f"{THREADS} threads in the handler", threads=THREADS),
    # Each of them is near enough, also on a busy machine.
    Case(
        "secondaries",
        "Reads from secondaries",
        options="readPreference=secondary&localThresholdMS=1000",
        from_secondaries=True,
    ),
)


def _all_metrics() -> Iterable[Metric]:
    for case in CASES:
        for name, label in (
            ("primary", "connections per environment, primary"),
            ("planned_primary", "the same by the plan"),
            ("secondary", "connections per environment, each secondary"),
            ("planned_secondary", "the same by the plan"),
            ("all_nodes", "connections per environment, all nodes"),
        ):
            yield Metric(f"{name}_{case.name}", label, 2, case.label)
        if case.threads > 1:
            yield Metric(f"ms_p50_{case.name}", "all operations of an invocation, median (ms)", 0, case.label)
    yield Metric("errors", "failed invocations")


METRICS = tuple(_all_metrics())


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Invoke every environment of each variant in each case, and count what it holds when it is frozen.
    """
    on_progress("starting the cluster", 0.0)
    # They do little but wait, and all at the same time.
    opening = open_bench(options, lambda step: on_progress(step, 0.02), runnable=options.environments)
    async with opening as bench:
        variants: dict[str, dict[str, float]] = {}
        for number, variant in enumerate(VARIANTS):
            metrics: dict[str, float] = {"errors": 0}
            for step, case in enumerate(CASES):
                done = (number + step / len(CASES)) / len(VARIANTS)
                on_progress(f"{variant.label}: {case.label.lower()}", 0.1 + 0.9 * done)
                found, errors = await _run_case(variant, case, bench, options)
                metrics |= found
                metrics["errors"] += errors
            variants[variant.name] = metrics
        return _result(bench, options, variants)


async def _run_case(variant: Variant, case: Case, bench: Bench, options: RunOptions) -> tuple[Mapping[str, float], int]:
    name = f"{NAME}-{variant.name}-{case.name}"
    spec = FunctionSpec(name, _FUNCTIONS, f"{variant.handler}.lambda_handler", timeout_seconds=60)
    uri_options = "&".join(filter(None, (variant.options, case.options)))
    app = deploy(bench.service, bench.cluster, spec, options, uri_options=uri_options)
    event = {"threads": case.threads, "operations": _OPERATIONS, "busy_seconds": 0.0}
    results = await invoke_all(bench.service, name, [event] * options.environments)
    # Now that they are all connected.
    results += await invoke_all(bench.service, name, [{**event, "busy_seconds": _BUSY_SECONDS}] * options.environments)
    samples = await asyncio.to_thread(bench.sampler.now)
    counts = {bench.nodes[node]: sample.by_app.get(app, 0) / options.environments for node, sample in samples.items()}
    await bench.service.end(name, how="kill")
    return _metrics(variant, case, counts, results), sum(result.function_error is not None for result in results)


def _metrics(
    variant: Variant, case: Case, counts: Mapping[str, float], results: Iterable[InvokeResult]
) -> dict[str, float]:
    primary, secondary = case.planned(variant)
    secondaries = [count for node, count in counts.items() if node != "primary"]
    found = {
        f"primary_{case.name}": counts["primary"],
        f"planned_primary_{case.name}": primary,
        f"secondary_{case.name}": sum(secondaries) / len(secondaries),
        f"planned_secondary_{case.name}": secondary,
        f"all_nodes_{case.name}": sum(counts.values()),
    }
    if case.threads > 1:
        warm = [json.loads(result.payload) for result in results if not (result.cold or result.function_error)]
        found[f"ms_p50_{case.name}"] = percentile(warm, 50)
    return found


def _result(bench: Bench, options: RunOptions, variants: Mapping[str, Mapping[str, float]]) -> ExperimentResult:
    ours, least = variants["warmline"], variants["min-pool-size"]
    return ExperimentResult(
        experiment=NAME,
        title="The size of a pool",
        question="How many connections does an environment hold on each of three nodes?",
        answer=(
            f"With one operation at a time an environment holds {ours['all_nodes_one']:.0f} connections, and "
            f"{least['all_nodes_one']:.0f} with minPoolSize=5; {THREADS} threads make {ours['primary_threads']:.0f} on "
            f"the primary with warmline, and {variants['documented']['primary_threads']:.0f} with PyMongo's own limit."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={
            "all_nodes_one_min-pool-size_to_warmline": least["all_nodes_one"] / ours["all_nodes_one"],
            **{
                f"{node}_to_plan_{case.name}": sum(metrics[f"{node}_{case.name}"] for metrics in variants.values())
                / sum(metrics[f"planned_{node}_{case.name}"] for metrics in variants.values())
                for case in CASES
                for node in ("primary", "secondary")
            },
        },
        machine=machine(),
        versions=versions(bench.cluster.mongod_version),
        parameters={
            "environments": options.environments,
            "start": options.start,
            "members": len(bench.cluster.nodes),
            "threads": THREADS,
            "busy_seconds": _BUSY_SECONDS,
        },
        connections=(),
        latencies=(),
        events={},
        notes=(
            "Nothing here ran on AWS: real runtime client, real mongod, one machine.",
            "The threads of all environments share one machine's server: their time compares one pool with another, "
            "and most of it is the server's.",
            "The plan: on every node a monitor, and a pool of as many connections as operations run there at once, "
            "between minPoolSize and maxPoolSize.",
            "PyMongo fills its pools up to minPoolSize once in a second while the environment runs; one whose "
            "invocations are short gets there later than here.",
        ),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
    )


EXPERIMENT = Experiment(NAME, "connections on each node by minPoolSize, maxPoolSize and threads", run, environments=10)
