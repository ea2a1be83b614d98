"""
The benchmark of serverless-mysql, for MongoDB: a server that takes 30 connections, and more and more callers.

Source: https://github.com/jeremydaly/serverless-mysql/tree/main/benchmark
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..aws import FunctionSpec, InvokeResult
from ..cluster import ClusterSpec, connect_to
from ..errors import Throttled
from ..measure import connection_lives, machine, most_open, percentile, refused_connections, versions
from .bench import DOCUMENTS, Bench, deploy, open_bench
from .experiment import Experiment, OnProgress, RunOptions
from .result import ExperimentResult, Latencies, Metric

NAME = "serverless-benchmark"

_FUNCTIONS = Path(__file__).with_name("functions") / "serverless_benchmark"

# What theirs has: 5, 10, 20 and 30 callers, 30 connections, and a query that holds one for 20 ms.
LEVELS = (5, 10, 20, 30, 60, 100, 200)
CONNECTIONS = 30
_OPERATION_MS = 20

# Theirs is 8 s for each level and driver, and gives up a connect after 5.
_LEVEL_SECONDS = 3.0
TIMEOUT_SECONDS = 5.0

# The sampler's. A mongod admits one connection more than --maxConns says.
_LAB_CONNECTIONS = 2
SERVER = ClusterSpec(members=1, max_connections=CONNECTIONS + _LAB_CONNECTIONS - 1)

# One connection for operations, and one of the monitor.
_PER_ENVIRONMENT = 2

# A caller that is throttled tries again after a random time up to this.
_AGAIN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class _Variant:
    name: str
    label: str
    handler: str
    reserved_concurrency: int | None = None


VARIANTS = (
    _Variant("per-invocation", "client per invocation", "per_invocation"),
    _Variant("documented", "MongoDB's documented example", "documented"),
    _Variant("warmline", "warmline", "with_warmline"),
    _Variant("budget", "warmline, concurrency that fits", "with_warmline", CONNECTIONS // _PER_ENVIRONMENT),
)


@dataclass(slots=True)
class _Level:
    """
    One variant at one number of callers.
    """

    callers: int
    results: list[InvokeResult] = field(default_factory=list)
    # What each caller waited for each answer, throttles included.
    waited_ms: list[float] = field(default_factory=list)
    throttled: int = 0
    # Good ones that came while all callers were calling; after that some wait for their last answer.
    in_time: int = 0
    refused: int = 0
    peak: int = 0

    def metrics(self) -> dict[str, float]:
        """
        Name them by the level.
        """
        good = [result.duration_ms for result in self.results if result.function_error is None]
        failed = len(self.results) - len(good)
        timeouts = sum(b"Sandbox.Timedout" in result.payload for result in self.results if result.function_error)
        values = {
            "success_percent": 100 * len(good) / len(self.results),
            "failed": failed,
            "timeouts": timeouts,
            "throttled": self.throttled,
            "refused": self.refused,
            "peak_connections": self.peak,
            "per_second": self.in_time / _LEVEL_SECONDS,
            **{f"ms_p{percent}": percentile(good, percent) for percent in (50, 95, 99)},
            "waited_ms_p99": percentile(self.waited_ms, 99),
        }
        return {f"{name}_{self.callers}": value for name, value in values.items()}


def levels(callers: int) -> tuple[int, ...]:
    """
    The numbers of callers up to this one.
    """
    return (*(level for level in LEVELS if level < callers), callers)


def metrics_of(callers: Iterable[int]) -> tuple[Metric, ...]:
    """
    The same for each level.
    """
    return tuple(
        Metric(f"{name}_{level}", label, decimals, f"{level} callers")
        for level in callers
        for name, label, decimals in (
            ("success_percent", "successful invocations (%)", 1),
            ("failed", "failed invocations", 0),
            ("timeouts", f"of them ended by Lambda after {TIMEOUT_SECONDS:.0f} s", 0),
            ("throttled", "throttled and tried again", 0),
            ("refused", "connections refused", 0),
            ("peak_connections", f"most connections open at once, of {CONNECTIONS}", 0),
            ("per_second", "successful invocations per second", 0),
            ("ms_p50", "invocation, median (ms)", 0),
            ("ms_p95", "invocation, p95 (ms)", 0),
            ("ms_p99", "invocation, p99 (ms)", 0),
            ("waited_ms_p99", "what the caller waited, p99 (ms)", 0),
        )
    )


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    At each level give each variant so many callers, each of which calls again as soon as it has its answer.
    """
    on_progress("starting the server", 0.0)
    steps = levels(options.environments)
    opening = open_bench(options, lambda step: on_progress(step, 0.01), servers=SERVER, runnable=options.environments)
    async with opening as bench:
        await asyncio.to_thread(_slow_down, bench)
        variants: dict[str, list[_Level]] = {}
        for number, variant in enumerate(VARIANTS):
            for step, callers in enumerate(steps):
                on_progress(
                    f"{variant.label}, {callers} callers", 0.02 + 0.98 * (number + step / len(steps)) / len(VARIANTS)
                )
                variants.setdefault(variant.name, []).append(await _run_level(variant, callers, bench, options))
        return _result(bench, options, variants)


def _slow_down(bench: Bench) -> None:
    """
    Have every find take as long as theirs, without any CPU.
    """
    slow = {"failCommands": ["find"], "blockConnection": True, "blockTimeMS": _OPERATION_MS}
    with closing(connect_to(bench.cluster.nodes[0])) as client:
        client.admin.command({"configureFailPoint": "failCommand", "mode": "alwaysOn", "data": slow})


async def _run_level(variant: _Variant, callers: int, bench: Bench, options: RunOptions) -> _Level:
    name = f"{NAME}-{variant.name}-{callers}"
    app = deploy(
        bench.service,
        bench.cluster,
        FunctionSpec(
            name,
            _FUNCTIONS,
            f"{variant.handler}.lambda_handler",
            timeout_seconds=TIMEOUT_SECONDS,
            reserved_concurrency=variant.reserved_concurrency,
        ),
        options,
    )
    (node,) = bench.cluster.nodes
    refused = refused_connections(node.log_path)
    level = _Level(callers)
    began, wall = time.monotonic(), time.time()
    await asyncio.gather(*(_call(bench, name, level, began + _LEVEL_SECONDS) for _ in range(callers)))
    await bench.service.settled()
    seconds = time.monotonic() - began
    lives = [life for life in connection_lives(node.log_path) if life.app == app]
    level.peak = max(most_open(lives, wall - 1, seconds + 2, seconds + 2))
    level.refused = refused_connections(node.log_path) - refused
    await bench.service.end(name, how="kill")
    await _until_gone(bench, app)
    return level


async def _call(bench: Bench, name: str, level: _Level, until: float) -> None:
    for number in itertools.count():
        if time.monotonic() > until:
            return
        payload = json.dumps({"id": number % DOCUMENTS}).encode()
        began = time.perf_counter()
        result = await _answer(bench, name, payload, level)
        level.results.append(result)
        level.in_time += result.function_error is None and time.monotonic() <= until
        level.waited_ms.append((time.perf_counter() - began) * 1000)


async def _answer(bench: Bench, name: str, payload: bytes, level: _Level) -> InvokeResult:
    while True:
        try:
            return await bench.service.invoke(name, payload)
        except Throttled:
            level.throttled += 1
            await asyncio.sleep(random.uniform(0, _AGAIN_SECONDS))  # noqa: S311  no secret


async def _until_gone(bench: Bench, app: str) -> None:
    """
    Wait until the server has noticed, so that the next level has all connections.

    The sampler's own samples are waited for: one more at the same time would take one of the connections.
    """
    ended = time.monotonic()
    for _ in range(100):
        samples = bench.sampler.latest.values()
        if all(sample.seconds > ended and not sample.by_app.get(app) for sample in samples):
            return
        await asyncio.sleep(0.05)


def _result(bench: Bench, options: RunOptions, runs: Mapping[str, list[_Level]]) -> ExperimentResult:
    steps = levels(options.environments)
    variants = {
        name: {name: value for level in of_variant for name, value in level.metrics().items()}
        for name, of_variant in runs.items()
    }
    top = steps[-1]
    return ExperimentResult(
        experiment=NAME,
        title="The benchmark of serverless-mysql, for MongoDB",
        question=f"What do up to {top} callers get from a server that takes {CONNECTIONS} connections?",
        answer=_answer_in_words(variants, top),
        metrics=metrics_of(steps),
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={
            f"success_percent_{top}_budget_to_{name.replace('-', '_')}": variants["budget"][f"success_percent_{top}"]
            / variants[name][f"success_percent_{top}"]
            for name in ("per-invocation", "documented", "warmline")
        },
        machine=machine(),
        versions=versions(bench.cluster.mongod_version),
        parameters={
            "environments": options.environments,
            "start": options.start,
            "connections": CONNECTIONS,
            "operation_ms": _OPERATION_MS,
            "seconds_each": _LEVEL_SECONDS,
            "timeout_seconds": TIMEOUT_SECONDS,
        },
        connections=(),
        latencies=tuple(
            Latencies(
                name,
                tuple(result.latency_ms for result in of_variant[-1].results if result.cold),
                tuple(result.latency_ms for result in of_variant[-1].results if not result.cold),
            )
            for name, of_variant in runs.items()
        ),
        events={},
        notes=(
            "Nothing here ran on AWS: real runtime client, real mongod, one machine.",
            "All environments of a level run at the same time and share this machine's cores: from some level on it "
            "is the machine that is measured, and only outcomes compare.",
            "The server is a replica set of one. On three members an environment has one more connection on each "
            "secondary.",
            "The latencies on the page are those of the highest level.",
        ),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
    )


def _answer_in_words(variants: Mapping[str, Mapping[str, Any]], top: int) -> str:
    percents = ", ".join(
        f"{variants[variant.name][f'success_percent_{top}']:.1f} % with {variant.label}" for variant in VARIANTS
    )
    return f"With {top} callers so many invocations succeed: {percents}."


EXPERIMENT = Experiment(
    NAME, "up to 100 callers on a server that takes 30 connections, as serverless-mysql's", run, environments=100
)
