"""
Environments of several worker processes: what each holds, and what is left of it at the end.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..aws import Ending, FunctionSpec, InvokeResult
from ..measure import connection_lives, machine, mean_memory_mib, percentile, versions
from .bench import DOCUMENTS, Bench, deploy, invoke_all, open_bench
from .experiment import Experiment, OnProgress, RunOptions, Variant
from .result import Event, ExperimentResult, Latencies, Metric
from .series import Course, course

NAME = "managed-instances"

_FUNCTIONS = Path(__file__).with_name("functions") / "managed_instances"

# AWS's default for Python is 16 for each vCPU; this many of them on the cores of one machine would measure the machine.
WORKERS = 4
_ROUNDS = 5
# Longer than it takes to hand out all of a round's events.
_BUSY_SECONDS = 0.5
_LOOK_SECONDS = 0.01
# How long after the end what is left is counted.
_AFTER_END_SECONDS = 2.0

VARIANTS = (
    Variant("documented", "MongoDB's documented example", "documented"),
    Variant("warmline", "warmline", "with_warmline"),
)

METRICS = (
    Metric("primary_connections_per_environment", "connections per environment, primary", 2),
    Metric("planned_primary_connections_per_environment", "the same by the plan: workers x (1 + 1 at once)", 2),
    Metric("secondary_connections_per_environment", "connections per environment, each secondary", 2),
    Metric("planned_secondary_connections_per_environment", "the same by the plan: workers", 2),
    Metric("primary_connections_per_worker", "connections per worker, primary", 2),
    Metric("secondary_connections_per_worker", "connections per worker, each secondary", 2),
    Metric("connections_open_at_kill", "connections still open when SIGKILL came, all nodes"),
    Metric("shutdown_ms_max", "an environment's end, longest (ms)", 1),
    Metric("connections_left_after_shutdown", f"connections left {_AFTER_END_SECONDS:.0f} s after the end"),
    Metric("first_operation_ms_p50", "first operation of a worker, median (ms)", 1),
    Metric("warm_operation_ms_p50", "warm operation, median (ms)", 1),
    Metric("workers", "worker processes that have served"),
    Metric("memory_mib_per_worker", "memory per worker (MiB, PSS)", 1),
    Metric("errors", "failed invocations"),
)


@dataclass(frozen=True, slots=True)
class _Run:
    """
    What one variant did and left behind. ``ended_at`` is when its end began, by the wall clock.
    """

    app: str
    environments: int
    first: tuple[InvokeResult, ...]
    warm: tuple[InvokeResult, ...]
    open: dict[str, int]
    memory_mib: float
    ended_at: float
    endings: tuple[Ending, ...]
    left: int
    course: Course


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Have every worker of every environment serve at the same time, a few times, and end the environments.
    """
    on_progress("starting the cluster", 0.0)
    runnable = options.environments * WORKERS
    async with open_bench(options, lambda step: on_progress(step, 0.02), runnable=runnable) as bench:
        runs = {}
        for number, variant in enumerate(VARIANTS):
            on_progress(variant.label, 0.1 + 0.85 * number / len(VARIANTS))
            runs[variant.name] = await _run_variant(variant, bench, options)
        return _result(bench, options, runs)


async def _run_variant(variant: Variant, bench: Bench, options: RunOptions) -> _Run:
    name = f"{NAME}-{variant.name}"
    spec = FunctionSpec(
        name,
        _FUNCTIONS,
        f"{variant.handler}.lambda_handler",
        timeout_seconds=60,
        initialization="lambda-managed-instances",
        workers=WORKERS,
    )
    app = deploy(bench.service, bench.cluster, spec, options)
    started = time.monotonic()
    phases = [Event(0.0, "start")]
    # One after the other: what is measured is not how many processes can start at once on this machine.
    for _ in range(options.environments):
        await bench.service.prepare(name, 1)
        instance = bench.service.function(name).environments[-1]
        while instance.waiting_workers < WORKERS:  # noqa: ASYNC110  it comes true in other processes
            await asyncio.sleep(_LOOK_SECONDS)
    # As many at once as there are workers, so that each serves one.
    events = [
        {"id": number % DOCUMENTS, "busy_seconds": _BUSY_SECONDS} for number in range(options.environments * WORKERS)
    ]
    phases.append(Event(time.monotonic() - started, "invocations"))
    first = await invoke_all(bench.service, name, events)
    warm = [result for _ in range(_ROUNDS) for result in await invoke_all(bench.service, name, events)]
    samples = await asyncio.to_thread(bench.sampler.now)
    open_now = {bench.nodes[name]: sample.by_app.get(app, 0) for name, sample in samples.items()}
    memory = mean_memory_mib(answer["process"] for answer in _answers(first))
    ended_at = time.time()
    phases.append(Event(time.monotonic() - started, "shutdown"))
    endings = await bench.service.end(name, how="shutdown")
    await asyncio.sleep(_AFTER_END_SECONDS)
    samples = await asyncio.to_thread(bench.sampler.now)
    left = sum(sample.by_app.get(app, 0) for sample in samples.values())
    return _Run(
        app,
        options.environments,
        tuple(first),
        tuple(warm),
        open_now,
        memory,
        ended_at,
        tuple(endings),
        left,
        await asyncio.to_thread(course, bench, variant.name, {app}, started, phases),
    )


def _answers(results: tuple[InvokeResult, ...] | list[InvokeResult]) -> list[dict[str, Any]]:
    return [json.loads(result.payload) for result in results if result.function_error is None]


def _open_at_kill(bench: Bench, run: _Run) -> int:
    """
    The connections that had not ended when the first SIGKILL was sent; where none was, all had.

    On AWS the microVM is gone then, and nobody closes them.
    """
    kills = [ending.killed_after_ms for ending in run.endings if ending.killed_after_ms is not None]
    if not kills:
        return 0
    moment = run.ended_at + min(kills) / 1000
    lives = (life for node in bench.cluster.nodes for life in connection_lives(node.log_path))
    return sum(life.app == run.app and life.ended >= moment for life in lives)


def _metrics(bench: Bench, run: _Run) -> dict[str, float]:
    secondaries = [count for node, count in run.open.items() if node != "primary"]
    secondary = sum(secondaries) / len(secondaries)
    workers = run.environments * WORKERS
    first, warm = _answers(run.first), _answers(run.warm)
    return {
        "primary_connections_per_environment": run.open["primary"] / run.environments,
        "planned_primary_connections_per_environment": WORKERS * 2,
        "secondary_connections_per_environment": secondary / run.environments,
        "planned_secondary_connections_per_environment": WORKERS,
        "primary_connections_per_worker": run.open["primary"] / workers,
        "secondary_connections_per_worker": secondary / workers,
        "connections_open_at_kill": _open_at_kill(bench, run),
        "shutdown_ms_max": max(ending.milliseconds for ending in run.endings),
        "connections_left_after_shutdown": run.left,
        "first_operation_ms_p50": percentile([answer["milliseconds"] for answer in first], 50),
        "warm_operation_ms_p50": percentile([answer["milliseconds"] for answer in warm], 50),
        "workers": len({answer["process"] for answer in (*first, *warm)}),
        "memory_mib_per_worker": run.memory_mib,
        "errors": sum(result.function_error is not None for result in (*run.first, *run.warm)),
    }


def _result(bench: Bench, options: RunOptions, runs: dict[str, _Run]) -> ExperimentResult:
    variants = {name: _metrics(bench, run) for name, run in runs.items()}
    documented, ours = variants["documented"], variants["warmline"]
    return ExperimentResult(
        experiment=NAME,
        title="Environments of several processes",
        question="What does an environment with several workers hold, and what does its end leave behind?",
        answer=(
            f"An environment of {WORKERS} workers holds {ours['primary_connections_per_environment']:.0f} connections "
            f"on the primary; when SIGKILL came, MongoDB's example had "
            f"{documented['connections_open_at_kill']:,.0f} open in {options.environments} environments, and warmline "
            f"{ours['connections_open_at_kill']:,.0f}."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={
            "first_operation_ms_p50_documented_to_warmline": (
                documented["first_operation_ms_p50"] / ours["first_operation_ms_p50"]
            ),
            "primary_connections_per_environment_to_plan": (
                ours["primary_connections_per_environment"] / ours["planned_primary_connections_per_environment"]
            ),
        },
        machine=machine(),
        versions=versions(bench.cluster.mongod_version),
        parameters={
            "environments": options.environments,
            "start": options.start,
            "workers": WORKERS,
            "members": len(bench.cluster.nodes),
            "rounds": _ROUNDS,
        },
        connections=tuple(series for run in runs.values() for series in run.course.connections),
        latencies=tuple(
            Latencies(
                name,
                tuple(answer["milliseconds"] for answer in _answers(run.first)),
                tuple(answer["milliseconds"] for answer in _answers(run.warm)),
            )
            for name, run in runs.items()
        ),
        events={name: run.course.events for name, run in runs.items()},
        notes=(
            "Nothing here ran on AWS: real runtime client, real mongod, one machine.",
            "SIGKILL here lets the kernel close the sockets. Lambda destroys an environment without that, and the "
            "server keeps what was open then until keepalive gives up.",
            "AWS's own emulator waits for the runtime client's first process only, which SIGTERM ends at once; the lab "
            "gives the workers the 600 ms that are the runtime's.",
            "All workers' first operations run at the same time, on the cores of one machine.",
            "A worker's memory is that of a fork of a process that has imported PyMongo.",
        ),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
        environments=tuple(series for run in runs.values() for series in run.course.environments),
    )


EXPERIMENT = Experiment(NAME, "managed instances: several processes in one environment", run)
