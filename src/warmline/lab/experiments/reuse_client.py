"""
One client per invocation, MongoDB's documented example, and warmline under the same load.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..aws import FunctionSpec, How, InvokeResult, NetworkKind
from ..errors import NetworkUnavailable
from ..measure import (
    ConnectionLife,
    ConnectionSample,
    connection_lives,
    machine,
    mean_memory_mib,
    most_open,
    percentile,
    versions,
)
from .bench import DOCUMENTS, Bench, deploy, invoke_all, open_bench
from .experiment import Experiment, OnProgress, RunOptions, Variant
from .result import ConnectionSeries, Event, ExperimentResult, Latencies, Metric, StateSeries
from .series import environments_over_time

NAME = "reuse-client"

_FUNCTIONS = Path(__file__).with_name("functions") / "reuse_client"

_ROUNDS = 12
# Between rounds an environment is frozen, as between requests.
_PAUSE_SECONDS = 0.3
_IDLE_SECONDS = 3.0
# The series shows the most connections that were open in each step.
_STEP_SECONDS = 0.1
# How long after the last environment's end its connections are counted.
_AFTER_END_SECONDS = 10.0

# A Linux bridge has 1,024 ports.
_OWN_NETWORKS = 1_000
# Of so many environments the memory is asked, since the kernel takes its time for each.
_WEIGHED = 100


@dataclass(frozen=True, slots=True)
class _Fleet:
    """
    The environments of one deployed function.
    """

    bench: Bench
    function: str
    app: str
    size: int

    async def invoke_all(self, first_id: int = 0) -> list[InvokeResult]:
        """
        As many invocations at once as the fleet has environments, so that each serves one.
        """
        events = [{"id": (first_id + number) % DOCUMENTS} for number in range(self.size)]
        return await invoke_all(self.bench.service, self.function, events)

    async def open_connections(self) -> dict[str, int]:
        """
        The fleet's open connections now, by what the node is called in results.
        """
        samples = await asyncio.to_thread(self.bench.sampler.now)
        return {self.bench.nodes[name]: sample.by_app.get(self.app, 0) for name, sample in samples.items()}

    async def end(self, *, how: How) -> float:
        """
        End every environment, and return when that was done.
        """
        await self.bench.service.end(self.function, how=how)
        return time.monotonic()


def _deploy(
    variant: Variant, bench: Bench, options: RunOptions, suffix: str = "", network: NetworkKind = "shared"
) -> _Fleet:
    function = f"{NAME}-{variant.name}{suffix}"
    # Many environments share this machine's cores: what is measured must not be cut short.
    spec = FunctionSpec(function, _FUNCTIONS, f"{variant.handler}.lambda_handler", timeout_seconds=60, network=network)
    size = options.environments if network == "shared" else min(options.environments, _OWN_NETWORKS)
    return _Fleet(bench, function, deploy(bench.service, bench.cluster, spec, options), size)


@dataclass(frozen=True, slots=True)
class _Destroyed:
    """
    A fleet whose environments have ended with their networks, or why there is none.
    """

    app: str = ""
    at: float = -math.inf
    errors: int = 0
    obstacle: str | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    """
    What one variant left behind: its results, and the moments to look at again once all variants have run.
    """

    fleet: _Fleet
    killed: _Fleet
    destroyed: _Destroyed
    started: float
    events: tuple[Event, ...]
    results: tuple[InvokeResult, ...]
    steady: dict[str, int]
    burst_seconds: float
    steady_seconds: float
    memory_mib: float
    shut_down_at: float
    killed_at: float
    environments: tuple[StateSeries, ...]


VARIANTS = (
    Variant("per-invocation", "client per invocation", "per_invocation"),
    Variant("documented", "MongoDB's documented example", "documented"),
    Variant("warmline", "warmline", "with_warmline"),
)

# The first six stand out on the page.
METRICS = (
    Metric("connections_created", "connections created, all nodes"),
    Metric("primary_connections_per_environment", "connections kept open per environment, primary", 2),
    Metric("secondary_connections_per_environment", "connections kept open per environment, each secondary", 2),
    Metric("first_request_ms_p50", "first request of an environment, Init left out, median (ms)", 1),
    Metric("warm_ms_p50", "warm invocation, median (ms)", 1),
    Metric("cold_ms_p50", "cold start with Init, median (ms)", 1),
    Metric("warm_ms_p99", "warm invocation, p99 (ms)", 1),
    Metric("connections_left_after_shutdown", f"connections left {_AFTER_END_SECONDS:.0f} s after shutdown"),
    Metric("connections_left_after_kill", f"connections left {_AFTER_END_SECONDS:.0f} s after a kill"),
    Metric(
        "connections_left_after_destruction",
        f"connections left {_AFTER_END_SECONDS:.0f} s after shutdown, network and all",
    ),
    Metric("environments_started_per_second", "environments started per second", 1),
    Metric("invocations_per_second", "warm invocations per second", 0),
    Metric("memory_mib_per_environment", "memory per environment (MiB, PSS)", 1),
    Metric("errors", "failed invocations"),
)


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Give each variant the same burst, steady load, idle time and end, one after the other on one cluster.
    """
    on_progress("starting the cluster", 0.0)
    async with open_bench(options, lambda step: on_progress(step, 0.02)) as bench:
        runs = {}
        for number, variant in enumerate(VARIANTS):
            share = 0.85 / len(VARIANTS)

            def report(
                doing: str, done: float, label: str = variant.label, base: float = 0.05 + number * share
            ) -> None:
                on_progress(f"{label}: {doing}", base + done * share)  # noqa: B023  share is the same in each round

            runs[variant.name] = await _run_variant(variant, bench, options, report)
        on_progress("waiting for what the ended environments leave behind", 0.92)
        last = max(max(run.shut_down_at, run.killed_at, run.destroyed.at) for run in runs.values())
        await asyncio.sleep(max(0.0, last + _AFTER_END_SECONDS + 0.5 - time.monotonic()))
        on_progress("reading the servers' logs", 0.98)
        return _result(bench, options, runs)


async def _run_variant(variant: Variant, bench: Bench, options: RunOptions, report: OnProgress) -> _Run:
    started = time.monotonic()
    events = []

    def phase(label: str, done: float) -> None:
        events.append(Event(time.monotonic() - started, label))
        report(label, done)

    phase("burst", 0.0)
    fleet = _deploy(variant, bench, options)
    results = await fleet.invoke_all()
    burst_seconds = time.monotonic() - started

    phase("steady", 0.3)
    steady_seconds = 0.0
    for number in range(_ROUNDS):
        began = time.monotonic()
        results += await fleet.invoke_all(first_id=(number + 1) * fleet.size)
        steady_seconds += time.monotonic() - began
        report("steady", 0.3 + 0.4 * (number + 1) / _ROUNDS)
        await asyncio.sleep(_PAUSE_SECONDS)
    steady = await fleet.open_connections()
    weighed = bench.service.function(fleet.function).environments[:: math.ceil(fleet.size / _WEIGHED)]
    memory = mean_memory_mib(environment.pid for environment in weighed)

    phase("idle", 0.75)
    await asyncio.sleep(_IDLE_SECONDS)

    phase("shutdown", 0.85)
    shut_down_at = await fleet.end(how="shutdown")
    environments = environments_over_time(bench, variant.name, started)

    # A second fleet, only to be killed: not part of the series.
    report("kill", 0.9)
    killed = _deploy(variant, bench, options, suffix="-killed")
    results += await killed.invoke_all()
    killed_at = await killed.end(how="kill")
    report("destruction", 0.95)
    destroyed = await _destroy(variant, bench, options)
    return _Run(
        fleet,
        killed,
        destroyed,
        started,
        tuple(events),
        tuple(results),
        steady,
        burst_seconds,
        steady_seconds,
        memory,
        shut_down_at,
        killed_at,
        environments,
    )


async def _destroy(variant: Variant, bench: Bench, options: RunOptions) -> _Destroyed:
    """
    End a fleet by Lambda's Shutdown phase, after which each environment is gone with its network.
    """
    try:
        fleet = _deploy(variant, bench, options, "-destroyed", "own")
    except NetworkUnavailable as error:
        return _Destroyed(obstacle=str(error))
    results = await fleet.invoke_all()
    errors = sum(result.function_error is not None for result in results)
    return _Destroyed(fleet.app, await fleet.end(how="shutdown"), errors)


def _result(bench: Bench, options: RunOptions, runs: dict[str, _Run]) -> ExperimentResult:
    samples = sorted(bench.sampler.samples, key=lambda sample: sample.seconds)
    lives = {bench.nodes[node.name]: connection_lives(node.log_path) for node in bench.cluster.nodes}
    variants = {name: _metrics(run, samples, lives) for name, run in runs.items()}
    ours, documented, wrong = variants["warmline"], variants["documented"], variants["per-invocation"]
    ratios = {
        "connections_created_per_invocation_to_warmline": wrong["connections_created"] / ours["connections_created"],
        "warm_ms_p50_per_invocation_to_warmline": wrong["warm_ms_p50"] / ours["warm_ms_p50"],
        "first_request_ms_p50_documented_to_warmline": (
            documented["first_request_ms_p50"] / ours["first_request_ms_p50"]
        ),
    }
    invocations = options.environments * (_ROUNDS + 2)
    return ExperimentResult(
        experiment=NAME,
        title="One client for each environment, or one for each invocation",
        question="What do three ways of connecting do to a three-member replica set under the same load?",
        answer=(
            f"For {invocations} invocations in {options.environments} environments a client per invocation opened "
            f"{wrong['connections_created']:,.0f} connections and warmline {ours['connections_created']:,.0f}, and the "
            f"first request took {ours['first_request_ms_p50']:.1f} ms where MongoDB's example takes "
            f"{documented['first_request_ms_p50']:.1f} ms."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios=ratios,
        machine=machine(),
        versions=versions(bench.cluster.mongod_version),
        parameters={
            "environments": options.environments,
            "start": options.start,
            "freezer": bench.service.freezer.name,
            "members": len(bench.cluster.nodes),
            "rounds": _ROUNDS,
            "idle_seconds": _IDLE_SECONDS,
        },
        connections=tuple(series for name, run in runs.items() for series in _series(name, run, lives)),
        latencies=tuple(
            Latencies(
                name,
                tuple(result.latency_ms for result in run.results if result.cold),
                tuple(result.latency_ms for result in run.results if not result.cold),
            )
            for name, run in runs.items()
        ),
        events={name: run.events for name, run in runs.items()},
        notes=_notes(options, runs),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
        environments=tuple(series for run in runs.values() for series in run.environments),
    )


def _metrics(
    run: _Run, samples: Iterable[ConnectionSample], lives: Mapping[str, Iterable[ConnectionLife]]
) -> dict[str, float]:
    size = run.fleet.size
    cold = [result for result in run.results if result.cold]
    warm_ms = [result.latency_ms for result in run.results if not result.cold]
    secondaries = [count for node, count in run.steady.items() if node != "primary"]
    apps = (run.fleet.app, run.killed.app)
    created = sum(life.app in apps for of_node in lives.values() for life in of_node)
    return {
        "primary_connections_per_environment": run.steady["primary"] / size,
        "secondary_connections_per_environment": sum(secondaries) / len(secondaries) / size,
        "connections_created": created,
        "connections_left_after_shutdown": _left(samples, run.fleet.app, run.shut_down_at),
        "connections_left_after_kill": _left(samples, run.killed.app, run.killed_at),
        "connections_left_after_destruction": (
            math.nan if run.destroyed.obstacle else _left(samples, run.destroyed.app, run.destroyed.at)
        ),
        "cold_ms_p50": percentile([result.latency_ms for result in cold], 50),
        "first_request_ms_p50": percentile([result.duration_ms for result in cold], 50),
        "warm_ms_p50": percentile(warm_ms, 50),
        "warm_ms_p99": percentile(warm_ms, 99),
        "environments_started_per_second": size / run.burst_seconds,
        "invocations_per_second": size * _ROUNDS / run.steady_seconds,
        "memory_mib_per_environment": run.memory_mib,
        "errors": sum(result.function_error is not None for result in run.results) + run.destroyed.errors,
    }


def _left(samples: Iterable[ConnectionSample], app: str, ended: float) -> int:
    """
    The connections on all nodes in the first sample of each that is late enough.
    """
    late: dict[str, int] = {}
    for sample in samples:
        if sample.seconds >= ended + _AFTER_END_SECONDS:
            late.setdefault(sample.node, sample.by_app.get(app, 0))
    return sum(late.values())


def _series(variant: str, run: _Run, lives: Mapping[str, Iterable[ConnectionLife]]) -> list[ConnectionSeries]:
    seconds = run.shut_down_at + _AFTER_END_SECONDS - run.started
    # The servers' logs tell the time of day.
    started = run.started + time.time() - time.monotonic()
    series = []
    for node, of_node in lives.items():
        mine = [life for life in of_node if life.app == run.fleet.app]
        counts = most_open(mine, started, seconds, _STEP_SECONDS)
        steps = tuple(round(number * _STEP_SECONDS, 3) for number in range(len(counts)))
        series.append(ConnectionSeries(variant, node, steps, tuple(counts)))
    return series


def _notes(options: RunOptions, runs: Mapping[str, _Run]) -> tuple[str, ...]:
    forked = (
        "The environments are forks of a process that has imported PyMongo, so cold starts here leave out the "
        "interpreter's start and that import; --start exec has them in."
    )
    return (
        "Nothing here ran on AWS: real runtime client, real mongod, one machine.",
        "A kill here lets the kernel close the sockets. Lambda destroys an environment without that, and the server "
        f"then keeps its connections until keepalive gives up{_unseen(runs)}.",
        "Environments share this machine's cores: few run at the same time, so latencies compare within a run only, "
        "and a client per invocation has few connections open at once. On AWS all environments run at once, and with "
        "them all their new connections.",
        *((forked,) if options.start == "zygote" else ()),
    )


def _unseen(runs: Mapping[str, _Run]) -> str:
    """
    Why a destruction is not among the figures, if it is not.
    """
    obstacles = {run.destroyed.obstacle for run in runs.values() if run.destroyed.obstacle}
    return "".join(f"; that is not among the figures: {obstacle}" for obstacle in obstacles)


EXPERIMENT = Experiment(NAME, "a client per invocation, MongoDB's example and warmline under one load", run)
