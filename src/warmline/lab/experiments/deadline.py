"""
An operation that can't end in time: what the caller, the environment and the server see of it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from ..atlas import AtlasSpec
from ..atlas.front import CLEAR, Network
from ..aws import FunctionSpec, InvokeResult
from ..cluster.replica_set import connect_to
from ..measure import machine, percentile, versions
from .bench import AtlasBench, deploy, invoke_all, open_atlas_bench
from .experiment import Experiment, OnProgress, RunOptions, Variant
from .result import Event, ExperimentResult, Metric
from .series import Course, course

NAME = "deadline"

_FUNCTIONS = Path(__file__).with_name("functions") / "deadline"

# Lambda's default.
TIMEOUT_SECONDS = 3.0

_QUICK: dict[str, Any] = {"_id": 1}
# Ten seconds for one document.
_SLOW: dict[str, Any] = {"_id": 1, "$where": "sleep(10000) || true"}


@dataclass(frozen=True, slots=True)
class _Case:
    """
    What goes wrong: the network, or the operation itself.
    """

    name: str
    label: str
    network: Network
    filter: Mapping[str, Any]


CASES = (
    _Case("slow_operation", "an operation that takes 10 s", CLEAR, _SLOW),
    _Case("black_hole", "a cluster that does not answer", Network(black_hole="all"), _QUICK),
    _Case("closed", "a cluster that closes every connection", Network(cut="close"), _QUICK),
)

VARIANTS = (
    Variant("documented", "MongoDB's documented example", "documented"),
    Variant("warmline", "warmline", "with_warmline"),
)

METRICS = tuple(
    Metric(f"{name}_{case.name}", f"{case.label}: {label}")
    for case in CASES
    for name, label in (
        ("task_timed_out", "invocations that end with 'Task timed out'"),
        ("reason_told", "invocations whose error tells the reason"),
        ("answered_ms_p50", "the caller's wait, median (ms)"),
        ("next_ms_p50", "the next invocation once all is well, median (ms)"),
        ("environments_reset", "environments reset"),
        ("left_on_the_server", "operations that run on in the server"),
    )
)


@dataclass(frozen=True, slots=True)
class _Run:
    bad: tuple[InvokeResult, ...]
    good: tuple[InvokeResult, ...]
    left_on_the_server: int
    app: str


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Invoke warm environments while something is wrong, and again when all is well.
    """
    on_progress("starting the cluster", 0.0)
    spec = AtlasSpec(through_front=True)
    async with open_atlas_bench(options, spec, lambda step: on_progress(step, 0.02)) as bench:
        runs: dict[str, dict[str, _Run]] = {}
        courses = {}
        for number, variant in enumerate(VARIANTS):
            runs[variant.name] = {}
            started = time.monotonic()
            events = []
            for step, case in enumerate(CASES):
                events.append(Event(time.monotonic() - started, case.label))
                done = (number + step / len(CASES)) / len(VARIANTS)
                on_progress(f"{variant.label}: {case.label}", 0.1 + 0.9 * done)
                runs[variant.name][case.name] = await _run_case(variant, case, bench, options)
            apps = {run.app for run in runs[variant.name].values()}
            courses[variant.name] = await asyncio.to_thread(course, bench, variant.name, apps, started, events)
        return _result(bench, options, runs, courses)


async def _run_case(variant: Variant, case: _Case, bench: AtlasBench, options: RunOptions) -> _Run:
    name = f"{NAME}-{variant.name}-{case.name.replace('_', '-')}"
    spec = FunctionSpec(name, _FUNCTIONS, f"{variant.handler}.lambda_handler", timeout_seconds=TIMEOUT_SECONDS)
    app = deploy(bench.service, bench.cluster, spec, options)
    # One after the other, so that they are connected well before Lambda's timeout on a machine of few cores.
    for number in range(options.environments):
        await invoke_all(bench.service, name, [{"filter": _QUICK}] * (number + 1))
    bench.cluster.lay(case.network)
    bad = await invoke_all(bench.service, name, [{"filter": case.filter}] * options.environments)
    left = await asyncio.to_thread(_running, bench, app)
    bench.cluster.lay(CLEAR)
    good = await invoke_all(bench.service, name, [{"filter": _QUICK}] * options.environments)
    await bench.service.end(name, how="kill")
    await asyncio.to_thread(_kill_running, bench, app)
    return _Run(tuple(bad), tuple(good), left, app)


def _running(bench: AtlasBench, app: str) -> int:
    return len(_operations(bench, app))


def _operations(bench: AtlasBench, app: str) -> list[Any]:
    with connect_to(bench.cluster.servers.primary()) as client:
        found = client.admin.aggregate(
            [{"$currentOp": {"allUsers": True}}, {"$match": {"appName": app, "active": True, "op": "query"}}]
        )
        return [operation["opid"] for operation in found]


def _kill_running(bench: AtlasBench, app: str) -> None:
    """
    End what a variant has left on the server, so that the next one does not pay for it.
    """
    operations = _operations(bench, app)
    with MongoClient[dict[str, Any]](bench.cluster.servers.uri) as client:
        for operation in operations:
            client.admin.command("killOp", op=operation)


def _result(
    bench: AtlasBench, options: RunOptions, runs: dict[str, dict[str, _Run]], courses: dict[str, Course]
) -> ExperimentResult:
    variants = {
        variant: {name: value for case, one in cases.items() for name, value in _metrics(case, one).items()}
        for variant, cases in runs.items()
    }
    total = options.environments * len(CASES)

    def timed_out(variant: str) -> int:
        return int(sum(variants[variant][f"task_timed_out_{case.name}"] for case in CASES))

    return ExperimentResult(
        experiment=NAME,
        title="Operations and the invocation's deadline",
        question="What does a caller learn when the database does not answer in time?",
        answer=(
            f"Of {total} invocations that could not succeed 'Task timed out' hid the reason of "
            f"{timed_out('documented')} with MongoDB's example, and of {timed_out('warmline')} with warmline."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={
            f"next_ms_p50_{case.name}_documented_to_warmline": variants["documented"][f"next_ms_p50_{case.name}"]
            / variants["warmline"][f"next_ms_p50_{case.name}"]
            for case in CASES
        },
        machine=machine(),
        versions=versions(bench.cluster.servers.mongod_version),
        parameters={
            "environments": options.environments,
            "start": options.start,
            "timeout_seconds": TIMEOUT_SECONDS,
        },
        connections=tuple(series for one in courses.values() for series in one.connections),
        latencies=(),
        events={name: one.events for name, one in courses.items()},
        notes=(
            "Nothing here ran on AWS: real runtime client, real mongod, one machine.",
            "After a timeout Lambda resets the environment; the next invocation then pays for its Init, of which the "
            "zygote start leaves out the interpreter and PyMongo's import.",
        ),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
        environments=tuple(series for one in courses.values() for series in one.environments),
    )


def _metrics(case: str, run: _Run) -> dict[str, float]:
    kinds = [json.loads(result.payload or b"{}") if result.function_error else {} for result in run.bad]
    timed_out = sum(kind.get("errorType") == "Sandbox.Timedout" for kind in kinds)
    return {
        f"task_timed_out_{case}": timed_out,
        f"reason_told_{case}": sum(bool(kind) for kind in kinds) - timed_out,
        f"answered_ms_p50_{case}": percentile([result.latency_ms for result in run.bad], 50),
        f"next_ms_p50_{case}": percentile([result.latency_ms for result in run.good], 50),
        f"environments_reset_{case}": sum(result.reset for result in run.bad),
        f"left_on_the_server_{case}": run.left_on_the_server,
    }


EXPERIMENT = Experiment(NAME, "operations that can't end before the invocation does", run)
