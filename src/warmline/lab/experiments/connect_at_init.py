"""
Where the first connection is made, in Init or in the first request, and where a mistake comes to light.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from ..atlas import AtlasSpec
from ..atlas.front import AccessList
from ..aws import FunctionSpec, InvokeResult
from ..measure import ConnectionLife, connection_lives, machine, percentile, versions
from .bench import AtlasBench, deploy, open_atlas_bench
from .experiment import Experiment, OnProgress, RunOptions, Variant
from .result import ExperimentResult, Latencies, Metric

NAME = "connect-at-init"

_FUNCTIONS = Path(__file__).with_name("functions") / "connect_at_init"

# Lambda's default.
TIMEOUT_SECONDS = 3.0

# Where connections come from that the access list does not let in; all others come from 127.0.0.1.
_DENIED = "127.49.0.1"
_ALLOWED = AccessList(("127.0.0.0/16",))

VARIANTS = (
    Variant("in-handler", "client in the first call", "in_handler"),
    Variant("documented", "MongoDB's documented example", "documented"),
    Variant("pinged", "the example with a ping", "pinged"),
    Variant("warmline", "warmline", "with_warmline"),
)


class Where(IntEnum):
    """
    Where a mistake comes to light.

    Init fails with it; Init's log tells it, and the first request; the first request's error tells it; Lambda's
    timeout hides it; nothing does.
    """

    INIT = 0
    LOG = 1
    REQUEST = 2
    HIDDEN = 3
    NOWHERE = 4


_WORDS = ("Init fails", "Init's log", "first request", "timed out", "nowhere")


@dataclass(frozen=True, slots=True)
class Mistake:
    """
    Something wrong with the URI, or with the address that the function comes from.
    """

    name: str
    label: str
    options: str = ""
    egress: str | None = None


MISTAKES = (
    Mistake("misspelt_option", "a misspelt option (maxIdleTime)", "maxIdleTime=60000"),
    Mistake("contradiction", "srvMaxHosts on a replica set", "srvMaxHosts=3"),
    Mistake("wrong_login", "a login that does not hold (authSource)", "authSource=shop"),
    Mistake("not_allowed", "an address that is not on the access list", egress=_DENIED),
)

METRICS = (
    Metric("first_request_ms_p50", "first request, Init left out, median (ms)", 1),
    Metric("second_request_ms_p50", "second request, median (ms)", 1),
    Metric("init_ms_p50", "start and Init, median (ms)", 1),
    Metric("cold_ms_p50", "what the first caller waits for, median (ms)", 1),
    Metric("connections_in_init", "connections opened in Init, per environment", 2),
    Metric("connections_later", "connections opened from the first request on, per environment", 2),
    *(
        Metric(f"where_{mistake.name}", mistake.label, 0, "Where a mistake comes to light", _WORDS)
        for mistake in MISTAKES
    ),
    Metric("errors", "failed invocations without a mistake"),
)


@dataclass(frozen=True, slots=True)
class _Started:
    """
    One environment: when it was invoked first (wall clock), and its first two invocations.
    """

    invoked: float
    first: InvokeResult
    second: InvokeResult

    @property
    def entered(self) -> float:
        """
        When its handler was entered first.
        """
        return float(_answer(self.first).get("entered", float("inf")))


@dataclass(frozen=True, slots=True)
class _Run:
    """
    All environments of a variant, and what their connections are called.
    """

    app: str
    started: tuple[_Started, ...]


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Start each variant's environments one after the other; then one for each mistake.
    """
    on_progress("starting the cluster", 0.0)
    spec = AtlasSpec(access_list=_ALLOWED)
    async with open_atlas_bench(options, spec, lambda step: on_progress(step, 0.02)) as bench:
        runs = {}
        for number, variant in enumerate(VARIANTS):
            on_progress(variant.label, 0.1 + 0.6 * number / len(VARIANTS))
            runs[variant.name] = await _start_all(variant, bench, options)
        where: dict[str, dict[str, float]] = {variant.name: {} for variant in VARIANTS}
        for number, mistake in enumerate(MISTAKES):
            on_progress(mistake.label, 0.7 + 0.3 * number / len(MISTAKES))
            found = await asyncio.gather(*(_where(variant, mistake, bench, options) for variant in VARIANTS))
            for variant, one in zip(VARIANTS, found, strict=True):
                where[variant.name][f"where_{mistake.name}"] = one
        return _result(bench, options, runs, where)


async def _start_all(variant: Variant, bench: AtlasBench, options: RunOptions) -> _Run:
    name = f"{NAME}-{variant.name}"
    spec = FunctionSpec(name, _FUNCTIONS, f"{variant.handler}.lambda_handler", timeout_seconds=TIMEOUT_SECONDS)
    app = deploy(bench.service, bench.cluster, spec, options)
    started = []
    # One at a time: what a start takes, not what the machine's two cores make of many.
    for number in range(options.environments):
        payload = json.dumps({"id": number}).encode()
        invoked = time.time()
        first = await bench.service.invoke(name, payload)
        await bench.service.settled()
        started.append(_Started(invoked, first, await bench.service.invoke(name, payload)))
        await bench.service.end(name, how="kill")
    return _Run(app, tuple(started))


async def _where(variant: Variant, mistake: Mistake, bench: AtlasBench, options: RunOptions) -> Where:
    name = f"{NAME}-{variant.name}-{mistake.name.replace('_', '-')}"
    spec = FunctionSpec(name, _FUNCTIONS, f"{variant.handler}.lambda_handler", timeout_seconds=TIMEOUT_SECONDS)
    deploy(bench.service, bench.cluster, spec, options, uri_options=mistake.options, egress=mistake.egress)
    result = await bench.service.invoke(name, b'{"id": 1}')
    await bench.service.end(name, how="kill")
    if b"Sandbox.Timedout" in result.payload:
        return Where.HIDDEN
    if result.function_error is not None:
        return Where.INIT
    if _answer(result)["error"] is None:
        return Where.NOWHERE
    return Where.LOG if "could not connect during Init" in result.log_tail else Where.REQUEST


def _answer(result: InvokeResult) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(result.payload) if result.function_error is None else {}
    return answer


def _metrics(run: _Run, lives: Iterable[ConnectionLife]) -> dict[str, float]:
    started = run.started
    in_init = later = 0
    for life in (life for life in lives if life.app == run.app):
        owner = next(each for each in reversed(started) if each.invoked <= life.opened)
        in_init += life.opened < owner.entered
        later += life.opened >= owner.entered
    results = [result for each in started for result in (each.first, each.second)]
    return {
        "first_request_ms_p50": percentile([each.first.duration_ms for each in started], 50),
        "second_request_ms_p50": percentile([each.second.duration_ms for each in started], 50),
        "init_ms_p50": percentile([each.first.init_ms for each in started if each.first.init_ms is not None], 50),
        "cold_ms_p50": percentile([each.first.latency_ms for each in started], 50),
        "connections_in_init": in_init / len(started),
        "connections_later": later / len(started),
        "errors": sum(_answer(result).get("error", "killed") is not None for result in results),
    }


def _result(
    bench: AtlasBench,
    options: RunOptions,
    runs: Mapping[str, _Run],
    where: Mapping[str, Mapping[str, float]],
) -> ExperimentResult:
    lives = [life for node in bench.cluster.servers.nodes for life in connection_lives(node.log_path)]
    variants = {name: {**_metrics(run, lives), **where[name]} for name, run in runs.items()}
    documented, ours = variants["documented"], variants["warmline"]
    return ExperimentResult(
        experiment=NAME,
        title="Connected in Init, or in the first request",
        question="Where does the time of the first connection go, and where does a mistake come to light?",
        answer=(
            f"The first request took {ours['first_request_ms_p50']:.1f} ms with warmline and "
            f"{documented['first_request_ms_p50']:.1f} ms with MongoDB's example, which opens "
            f"{documented['connections_in_init']:.0f} connections in Init; of {len(MISTAKES)} mistakes "
            f"{_told_by_init(ours)} and {_told_by_init(documented)} came to light there."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={
            f"{metric}_{name}_to_warmline": variants[name][metric] / ours[metric]
            for metric in ("first_request_ms_p50", "cold_ms_p50")
            for name in ("in-handler", "documented")
        },
        machine=machine(),
        versions=versions(bench.cluster.servers.mongod_version),
        parameters={
            "environments": options.environments,
            "start": options.start,
            "timeout_seconds": TIMEOUT_SECONDS,
            "names": bench.cluster.resolver.name,
        },
        connections=(),
        latencies=tuple(
            Latencies(
                name,
                tuple(each.first.latency_ms for each in run.started),
                tuple(each.second.latency_ms for each in run.started),
            )
            for name, run in runs.items()
        ),
        events={},
        notes=tuple(_notes(options)),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
    )


def _told_by_init(metrics: Mapping[str, float]) -> int:
    return sum(metrics[f"where_{mistake.name}"] in {Where.INIT, Where.LOG} for mistake in MISTAKES)


def _notes(options: RunOptions) -> Iterable[str]:
    yield "Nothing here ran on AWS: real runtime client, real mongod, one machine, and a front with an access list."
    yield (
        "On AWS Init has the full CPU whatever the function's memory; in the first request a small function has a part "
        "of one. Here both have the same, so on AWS the difference is larger."
    )
    if options.start == "zygote":
        yield (
            "The environments are forks of a process that has imported PyMongo: Init here leaves out the interpreter's "
            "start and that import, for all alike; --start exec has them in."
        )
    else:
        yield "Init here has the interpreter's start and the import of PyMongo in it, for all alike."


EXPERIMENT = Experiment(NAME, "the first connection in Init or in the first request, and where mistakes show", run)
