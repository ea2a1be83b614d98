"""
More callers than the tier has connections for, by what the function's reserved concurrency is.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..atlas import AtlasSpec
from ..atlas.front import Limits
from ..aws import FunctionSpec, InvokeResult
from ..errors import Throttled
from ..measure import ConnectionLife, connection_lives, machine, most_open, percentile, versions
from .bench import DOCUMENTS, AtlasBench, deploy, open_atlas_bench
from .experiment import Experiment, OnProgress, RunOptions, Variant
from .result import ConnectionSeries, ExperimentResult, Latencies, Metric, StateSeries
from .series import connections_over_time, environments_over_time

NAME = "budget"

_FUNCTIONS = Path(__file__).with_name("functions") / "budget"

# Of each caller, one after the other.
ANSWERS = 5
_HANDLER_SECONDS = 0.3
TIMEOUT_SECONDS = 5.0
# A caller that was throttled or whose invocation has failed waits so long and calls again, and gives up in the end.
_AGAIN_SECONDS = 0.5
PATIENCE_SECONDS = 30.0
# Somebody else on the same cluster: a client that connects anew, again and again.
_NEIGHBOUR = f"{NAME}-neighbour"
_NEIGHBOUR_SECONDS = 1.0
# What an operation at a time costs on the primary: its connection, and the monitor's.
_PER_ENVIRONMENT = 2
# Left free for the neighbour, as Atlas keeps some for itself.
_SPARE = 4


@dataclass(frozen=True, slots=True)
class Reservation:
    """
    How much concurrency a variant reserves of so many connections, if any.
    """

    variant: Variant
    of: Callable[[int], int | None]


def limit_of(callers: int) -> int:
    """
    So many connections a node that the callers' environments do not fit, not even with one connection each.
    """
    return max(2 * _SPARE, 3 * callers // 4)


def fitting(limit: int) -> int:
    """
    The largest concurrency that a limit of connections holds, each environment's monitor counted.
    """
    return (limit - _SPARE) // _PER_ENVIRONMENT


RESERVATIONS = (
    Reservation(Variant("documented", "MongoDB's example, nothing reserved", "documented"), lambda _: None),
    Reservation(Variant("one-each", "the example, one connection counted each", "documented"), lambda limit: limit),
    Reservation(Variant("fits", "the example, reserved to fit", "documented"), fitting),
    Reservation(Variant("warmline-alone", "warmline, nothing reserved", "with_warmline"), lambda _: None),
    Reservation(Variant("warmline", "warmline, reserved to fit", "with_warmline"), fitting),
)

METRICS = (
    Metric("failed_invocations", "failed invocations"),
    Metric("never_served", f"callers that gave up after {PATIENCE_SECONDS:.0f} s"),
    Metric("seconds_until_all_served", "until all callers have all their answers (s)", 1),
    Metric("neighbour_failed_percent", "failed requests of another function on the cluster (%)"),
    Metric("refused_primary", "connections refused, primary"),
    Metric("peak_primary", "most connections open, primary"),
    Metric("reserved", "reserved concurrency"),
    Metric("throttled", "throttled calls (429)"),
    Metric("environments_reset", "environments reset after a timeout"),
    Metric("answer_ms_p50", "an answer, median (ms)"),
)


@dataclass(frozen=True, slots=True)
class _Caller:
    """
    One caller: when it had its last answer, in seconds since the variant began (``None``: it gave up), and its tries.
    """

    seconds: float | None
    results: tuple[InvokeResult, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    reserved: int | None
    started: float
    ended: float
    app: str
    callers: tuple[_Caller, ...]
    neighbour: tuple[InvokeResult, ...]
    throttled: int
    refused: int
    connections: tuple[ConnectionSeries, ...]
    environments: tuple[StateSeries, ...]


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Give each variant the same callers, one after the other on one cluster.
    """
    on_progress("starting the cluster", 0.0)
    limit = limit_of(options.environments)
    opening = open_atlas_bench(
        options,
        AtlasSpec(through_front=True),
        lambda step: on_progress(step, 0.02),
        # They do little but wait, and all at the same time; and the neighbour is one more.
        runnable=options.environments + 1,
    )
    async with opening as bench:
        assert bench.cluster.front is not None  # noqa: S101  it is asked for
        bench.cluster.front.limit(Limits(connections=limit))
        runs = {}
        for number, reservation in enumerate(RESERVATIONS):
            on_progress(reservation.variant.label, 0.1 + 0.9 * number / len(RESERVATIONS))
            runs[reservation.variant.name] = await _run_variant(reservation, bench, options, limit)
        return _result(bench, options, limit, runs)


async def _run_variant(reservation: Reservation, bench: AtlasBench, options: RunOptions, limit: int) -> _Run:
    variant = reservation.variant
    name = f"{NAME}-{variant.name}"
    spec = FunctionSpec(name, _FUNCTIONS, f"{variant.handler}.lambda_handler", timeout_seconds=TIMEOUT_SECONDS)
    reserved = reservation.of(limit)
    app = deploy(bench.service, bench.cluster, replace(spec, reserved_concurrency=reserved), options)
    neighbour = FunctionSpec(_NEIGHBOUR, _FUNCTIONS, "documented.lambda_handler", timeout_seconds=TIMEOUT_SECONDS)
    deploy(bench.service, bench.cluster, neighbour, options)
    face = bench.primary_face
    refused, throttled = face.counters.refused["limit"], bench.service.counters.throttles
    began, started = time.monotonic(), time.time()
    others: list[InvokeResult] = []
    neighbour_task = asyncio.create_task(_connect_again_and_again(bench, others))
    callers = await asyncio.gather(*(_call(bench, name, began, number) for number in range(options.environments)))
    neighbour_task.cancel()
    await asyncio.gather(neighbour_task, return_exceptions=True)
    connections = await asyncio.to_thread(connections_over_time, bench, variant.name, {app}, began)
    environments = environments_over_time(bench, variant.name, began)
    ended = time.time()
    for function in (name, _NEIGHBOUR):
        await bench.service.end(function, how="kill")
    return _Run(
        reserved,
        started,
        ended,
        app,
        tuple(callers),
        tuple(others),
        bench.service.counters.throttles - throttled,
        face.counters.refused["limit"] - refused,
        tuple(replace(series, limit=limit) for series in connections),
        environments,
    )


async def _call(bench: AtlasBench, name: str, began: float, number: int) -> _Caller:
    payload = json.dumps({"id": number % DOCUMENTS, "seconds": _HANDLER_SECONDS}).encode()
    results: list[InvokeResult] = []
    answers = 0
    while time.monotonic() - began < PATIENCE_SECONDS:
        try:
            results.append(await bench.service.invoke(name, payload))
        except Throttled:
            await asyncio.sleep(_AGAIN_SECONDS)
            continue
        if results[-1].function_error is not None:
            await asyncio.sleep(_AGAIN_SECONDS)
            continue
        answers += 1
        if answers == ANSWERS:
            return _Caller(time.monotonic() - began, tuple(results))
    return _Caller(None, tuple(results))


async def _connect_again_and_again(bench: AtlasBench, results: list[InvokeResult]) -> None:
    payload = json.dumps({"id": 1, "seconds": 0.0}).encode()
    while True:
        await asyncio.sleep(_NEIGHBOUR_SECONDS)
        results.append(await bench.service.invoke(_NEIGHBOUR, payload))
        await bench.service.end(_NEIGHBOUR, how="kill")


def _result(bench: AtlasBench, options: RunOptions, limit: int, runs: dict[str, _Run]) -> ExperimentResult:
    primary = bench.cluster.servers.primary()
    lives = connection_lives(primary.log_path)
    variants = {name: _metrics(run, lives) for name, run in runs.items()}
    alone, ours = variants["documented"], variants["warmline"]
    return ExperimentResult(
        experiment=NAME,
        title="More callers than the tier has connections for",
        question=(
            f"What do {options.environments} callers at once get from a cluster that admits {limit} connections a node?"
        ),
        answer=(
            f"With nothing reserved {alone['failed_invocations']:.0f} invocations failed with MongoDB's example, and "
            f"{alone['neighbour_failed_percent']:.0f} % of the requests of another function on the cluster; with a "
            f"reserved concurrency of {fitting(limit)} and warmline {ours['failed_invocations']:.0f} failed and "
            f"{ours['neighbour_failed_percent']:.0f} %, and callers were throttled instead."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={reservation.variant.name: reservation.variant.label for reservation in RESERVATIONS},
        ratios={},
        machine=machine(),
        versions=versions(bench.cluster.servers.mongod_version),
        parameters={
            "environments": options.environments,
            "start": options.start,
            "connections_per_node": limit,
            "reserved_to_fit": fitting(limit),
            "answers_per_caller": ANSWERS,
            "handler_seconds": _HANDLER_SECONDS,
            "timeout_seconds": TIMEOUT_SECONDS,
            "again_after_seconds": _AGAIN_SECONDS,
            "patience_seconds": PATIENCE_SECONDS,
        },
        connections=tuple(series for run in runs.values() for series in run.connections),
        latencies=tuple(
            Latencies(
                name,
                tuple(result.latency_ms for result in _good(run) if result.cold),
                tuple(result.latency_ms for result in _good(run) if not result.cold),
            )
            for name, run in runs.items()
        ),
        events={},
        notes=(
            "Nothing here ran on AWS: real runtime client, real mongod, one machine.",
            f"The limit is the lab's, {limit} connections a node, so that a small machine reaches it. The smallest "
            "tiers of Atlas have 500.",
            "All environments share this machine's cores, so a part of the time is theirs.",
        ),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
        environments=tuple(series for run in runs.values() for series in run.environments),
    )


def _good(run: _Run) -> list[InvokeResult]:
    return [result for caller in run.callers for result in caller.results if result.function_error is None]


def _metrics(run: _Run, lives: list[ConnectionLife]) -> dict[str, float]:
    results = [result for caller in run.callers for result in caller.results]
    seconds = [caller.seconds for caller in run.callers if caller.seconds is not None]
    everybody = len(seconds) == len(run.callers)
    lasted = run.ended - run.started
    mine = [life for life in lives if life.app == run.app]
    refused = sum(result.function_error is not None for result in run.neighbour)
    return {
        "failed_invocations": len(results) - len(_good(run)),
        "never_served": len(run.callers) - len(seconds),
        "seconds_until_all_served": max(seconds) if everybody else math.nan,
        "neighbour_failed_percent": 100 * refused / len(run.neighbour) if run.neighbour else math.nan,
        "refused_primary": run.refused,
        "peak_primary": most_open(mine, run.started, lasted, lasted)[0] if mine else 0,
        "reserved": math.nan if run.reserved is None else run.reserved,
        "throttled": run.throttled,
        "environments_reset": sum(result.reset for result in results),
        "answer_ms_p50": percentile([result.latency_ms for result in _good(run)], 50),
    }


EXPERIMENT = Experiment(
    NAME, "more callers than connections, by the function's reserved concurrency", run, environments=40
)
