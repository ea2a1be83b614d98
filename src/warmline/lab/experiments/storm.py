"""
Many environments that connect at once to a cluster that admits few new connections in a second.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

from ..atlas import AtlasSpec
from ..aws import FunctionSpec, InvokeResult
from ..measure import machine, versions
from .bench import DOCUMENTS, AtlasBench, deploy, open_atlas_bench
from .experiment import Experiment, OnProgress, RunOptions, Variant
from .result import ConnectionSeries, Event, ExperimentResult, Latencies, Metric, StateSeries, Waits
from .series import connections_over_time, environments_over_time

NAME = "storm"

_FUNCTIONS = Path(__file__).with_name("functions") / "storm"

TIER = "M10"
TIMEOUT_SECONDS = 10.0

# A caller whose invocation has failed waits so long and calls again, and gives up in the end.
_AGAIN_SECONDS = 1.0
_PATIENCE_SECONDS = 180.0
_AFTER_END_SECONDS = 1.0


VARIANTS = (
    Variant("documented", "MongoDB's documented example", "documented"),
    Variant("without-back-off", "warmline without back-off", "without_back_off"),
    Variant("warmline", "warmline", "with_warmline"),
)

METRICS = (
    Metric("seconds_until_half_served", "until half of the callers have their answer (s)", 1),
    Metric("seconds_until_all_served", "until all of them have it (s)", 1),
    Metric("failed_invocations", "failed invocations on the way"),
    Metric("environments_reset", "environments reset after a timeout"),
    Metric("connections_tried_primary", "connections tried, primary"),
    Metric("connections_admitted_primary", "connections admitted, primary"),
    Metric("longest_queue_primary", "longest queue, primary"),
    Metric("never_served", "callers that gave up"),
)


@dataclass(frozen=True, slots=True)
class _Served:
    """
    One caller: when it had its answer, in seconds since the storm began (``None``: never), and all its tries.
    """

    seconds: float | None
    tries: tuple[InvokeResult, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    callers: tuple[_Served, ...]
    tried: int
    admitted: int
    longest_queue: int
    ended: float = 0.0
    connections: tuple[ConnectionSeries, ...] = ()
    environments: tuple[StateSeries, ...] = ()


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Give each variant a cluster of its own, since one storm's queue would be the next one's.
    """
    runs = {}
    version = ""
    for number, variant in enumerate(VARIANTS):

        def report(step: str, label: str = variant.label, done: float = number / len(VARIANTS)) -> None:
            on_progress(f"{label}: {step}", done)

        report("starting the cluster")
        async with open_atlas_bench(options, AtlasSpec(tier=TIER), report, runnable=options.environments) as bench:
            report("the storm")
            runs[variant.name] = await _run_variant(variant, bench, options)
            version = bench.cluster.servers.mongod_version
    return _result(options, runs, version)


async def _run_variant(variant: Variant, bench: AtlasBench, options: RunOptions) -> _Run:
    spec = FunctionSpec(NAME, _FUNCTIONS, f"{variant.handler}.lambda_handler", timeout_seconds=TIMEOUT_SECONDS)
    app = deploy(bench.service, bench.cluster, spec, options)
    began = time.monotonic()
    callers = await asyncio.gather(*(_call(bench, began, number) for number in range(options.environments)))
    ended = time.monotonic() - began
    await bench.service.end(NAME, how="kill")
    # The servers have noticed by then.
    await asyncio.sleep(_AFTER_END_SECONDS)
    face = bench.primary_face
    assert face.admission is not None  # noqa: S101  the tier has a rate
    samples = face.admission.samples
    return _Run(
        tuple(callers),
        face.counters.accepted,
        samples[-1].admitted,
        max(sample.waiting for sample in samples),
        ended,
        await asyncio.to_thread(connections_over_time, bench, variant.name, {app}, began),
        environments_over_time(bench, variant.name, began),
    )


async def _call(bench: AtlasBench, began: float, number: int) -> _Served:
    payload = json.dumps({"id": number % DOCUMENTS}).encode()
    tries: list[InvokeResult] = []
    while time.monotonic() - began < _PATIENCE_SECONDS:
        result = await bench.service.invoke(NAME, payload)
        tries.append(result)
        if result.function_error is None:
            return _Served(time.monotonic() - began, tuple(tries))
        await asyncio.sleep(_AGAIN_SECONDS)
    return _Served(None, tuple(tries))


def _result(options: RunOptions, runs: dict[str, _Run], version: str) -> ExperimentResult:
    variants = {name: _metrics(run) for name, run in runs.items()}
    documented, ours = variants["documented"], variants["warmline"]
    return ExperimentResult(
        experiment=NAME,
        title="A storm of new connections",
        question=f"How do {options.environments:,} new environments get their first answer from an {TIER}?",
        answer=(
            f"Of {options.environments:,} callers {documented['never_served']:,.0f} gave up after "
            f"{_PATIENCE_SECONDS:.0f} s with MongoDB's example, and {ours['never_served']:,.0f} with warmline; "
            f"{documented['failed_invocations']:,.0f} and {ours['failed_invocations']:,.0f} invocations failed on "
            "the way."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={
            f"{metric}_documented_to_warmline": documented[metric] / ours[metric]
            for metric in ("connections_tried_primary", "connections_admitted_primary")
        },
        machine=machine(),
        versions=versions(version),
        parameters={
            "environments": options.environments,
            "start": options.start,
            "tier": TIER,
            "timeout_seconds": TIMEOUT_SECONDS,
            "again_after_seconds": _AGAIN_SECONDS,
        },
        connections=tuple(series for run in runs.values() for series in run.connections),
        latencies=tuple(
            Latencies(name, tuple(1000 * served.seconds for served in run.callers if served.seconds is not None), ())
            for name, run in runs.items()
        ),
        events={name: (Event(0.0, "storm"), Event(run.ended, "end")) for name, run in runs.items()},
        notes=(
            "Nothing here ran on AWS: real runtime client, real mongod, one machine.",
            "The admission rate is Atlas's; how long its queue is and when it drops a connection is not documented, "
            "and here the lab's: 1,000 connections and 20 s.",
            "All environments share this machine's cores, so a part of the time is theirs and not the queue's.",
        ),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
        environments=tuple(series for run in runs.values() for series in run.environments),
        waits=Waits("Until the answer", "From a caller's first call to its answer, whatever failed in between."),
    )


def _metrics(run: _Run) -> dict[str, float]:
    # Who gave up has no answer, and then there is no time by which all of them had one.
    seconds = [float("inf") if served.seconds is None else served.seconds for served in run.callers]
    tries = [result for served in run.callers for result in served.tries]
    return {
        "seconds_until_half_served": _finite(sorted(seconds)[(len(seconds) - 1) // 2]),
        "seconds_until_all_served": _finite(max(seconds)),
        "failed_invocations": sum(result.function_error is not None for result in tries),
        "environments_reset": sum(result.reset for result in tries),
        "connections_tried_primary": run.tried,
        "connections_admitted_primary": run.admitted,
        "longest_queue_primary": run.longest_queue,
        "never_served": seconds.count(float("inf")),
    }


def _finite(seconds: float) -> float:
    return seconds if math.isfinite(seconds) else math.nan


# Fewer are admitted before the first invocation has to end.
EXPERIMENT = Experiment(NAME, "many new environments at once against a tier's admission rate", run, environments=100)
