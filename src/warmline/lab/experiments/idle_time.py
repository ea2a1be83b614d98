"""
What ``maxIdleTimeMS`` buys and what it does not: connections that are replaced, and those that are kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..aws import FunctionSpec, InvokeResult
from ..measure import connection_lives, machine, versions
from .bench import Bench, deploy, invoke_all, open_bench
from .experiment import Experiment, OnProgress, RunOptions
from .result import ExperimentResult, Metric
from .thaw.cases import EVENTS, Variant, possible_clocks
from .thaw.cases import Plan as ThawPlan
from .thaw.measure import Thawed, measure
from .thaw.result import check_clock

NAME = "idle-time"

_FUNCTIONS = Path(__file__).with_name("functions") / "thaw"

# A second here stands for five: the page's minute is 12 s. With less of it a busy machine's pace would count.
_SCALE = 5

(_LOST,) = (event for event in EVENTS if event.name == "old_flows_black_holed")

VARIANTS = (
    Variant("none", "no idle time", "documented"),
    Variant("documented", "MongoDB's page", "documented", "maxIdleTimeMS={idle_time_ms}"),
    Variant("too-short", "far too short", "documented", "maxIdleTimeMS={short_time_ms}"),
    Variant("warmline", "warmline", "with_warmline", "maxIdleTimeMS={idle_time_ms}", timeout_seconds=10.0),
)


@dataclass(frozen=True, slots=True)
class Freeze:
    """
    How long environments are frozen while their flows are lost.
    """

    name: str
    label: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What is measured: so many requests, a pause apart, then freezes in which the connections are lost.
    """

    idle_time_ms: int = 60_000 // _SCALE
    short_time_ms: int = 1_000 // _SCALE
    pause_seconds: float = 3.0 / _SCALE
    requests: int = 20
    long_seconds: float = 70.0 / _SCALE
    freezes: Sequence[Freeze] = (
        Freeze("longer", "frozen for longer than the idle time", 70.0 / _SCALE),
        Freeze("shorter", "frozen for a fifth of it", 12.0 / _SCALE),
    )

    def options(self, variant: Variant) -> str:
        """
        What a variant has in its URI.
        """
        return variant.options.format(idle_time_ms=self.idle_time_ms, short_time_ms=self.short_time_ms)


async def run(options: RunOptions, on_progress: OnProgress, plan: Plan | None = None) -> ExperimentResult:
    """
    Count connections under a steady load and over a freeze; then lose the flows of frozen environments.
    """
    plan = plan or Plan()
    on_progress("starting the cluster", 0.0)
    async with open_bench(options, lambda step: on_progress(step, 0.02)) as bench:
        on_progress("steady requests, and a freeze", 0.1)
        found = await asyncio.gather(*(_count(variant, plan, bench, options) for variant in VARIANTS))
        counts = dict(zip((variant.name for variant in VARIANTS), found, strict=True))
        version = bench.cluster.mongod_version
    thawed: dict[str, Sequence[Thawed]] = {}
    for number, freeze in enumerate(plan.freezes):
        on_progress(freeze.label, 0.3 + 0.7 * number / len(plan.freezes))
        variants = [
            Variant(variant.name, variant.label, variant.handler, plan.options(variant), variant.timeout_seconds)
            for variant in VARIANTS
        ]
        lost = ThawPlan((_LOST,), possible_clocks(), variants, freeze.seconds, plan.idle_time_ms)
        thawed[freeze.name] = (await measure(lost, options, lambda *_: None)).thawed
        for each in thawed[freeze.name]:
            check_clock(each, freeze.seconds)
    return _result(options, plan, counts, thawed, version)


async def _count(variant: Variant, plan: Plan, bench: Bench, options: RunOptions) -> Mapping[str, float]:
    """
    Count a variant's connections on the primary, where its operations run; each environment's monitor is there too.
    """
    name = f"{NAME}-{variant.name}"
    spec = FunctionSpec(name, _FUNCTIONS, f"{variant.handler}.lambda_handler", timeout_seconds=60)
    app = deploy(bench.service, bench.cluster, spec, options, uri_options=plan.options(variant))
    results = await _request(bench, name, options)
    connected = time.time()
    for _ in range(plan.requests):
        await asyncio.sleep(plan.pause_seconds)
        results += await _request(bench, name, options)
    steady = time.time()
    await asyncio.sleep(plan.long_seconds)
    primary = bench.cluster.primary()
    sample = (await asyncio.to_thread(bench.sampler.now))[primary.name]
    results += await _request(bench, name, options)
    opened = [life.opened for life in connection_lives(primary.log_path) if life.app == app]
    await bench.service.end(name, how="kill")
    return {
        "created_per_request": sum(connected < moment <= steady for moment in opened)
        / (plan.requests * options.environments),
        "open_while_frozen": sample.by_app.get(app, 0) / options.environments,
        "created_after_freeze": sum(steady < moment for moment in opened) / options.environments,
        "errors": sum(result.function_error is not None for result in results),
    }


async def _request(bench: Bench, name: str, options: RunOptions) -> list[InvokeResult]:
    return await invoke_all(bench.service, name, [{"operations": 1, "sent": time.time()}] * options.environments)


def metrics(plan: Plan) -> Iterable[Metric]:
    """
    All that a plan gives.
    """
    yield Metric("created_per_request", "connections opened with each of steady requests, primary", 2)
    yield Metric("open_while_frozen", "open after a freeze longer than the idle time, per environment, primary", 2)
    yield Metric("created_after_freeze", "opened by the request after that freeze, per environment, primary", 2)
    for freeze in plan.freezes:
        for clock in possible_clocks():
            label = "clock runs on" if clock == "runs" else "clock stands still"
            yield Metric(f"first_ms_{_key(freeze, clock)}", label, 0, f"{freeze.label}, connections lost (ms)")
    yield Metric("errors", "failed requests on a healthy network")


def _key(freeze: Freeze, clock: str) -> str:
    return f"{freeze.name}_clock_{clock.replace('-', '_')}"


def _result(
    options: RunOptions,
    plan: Plan,
    counts: Mapping[str, Mapping[str, float]],
    thawed: Mapping[str, Sequence[Thawed]],
    version: str,
) -> ExperimentResult:
    times: dict[str, dict[str, float]] = {variant.name: {} for variant in VARIANTS}
    for freeze in plan.freezes:
        for each in thawed[freeze.name]:
            times[each.variant.name][f"first_ms_{_key(freeze, each.case.monotonic)}"] = each.times_ms[0]
    variants = {name: {**found, **times[name]} for name, found in counts.items()}
    documented, ours = variants["documented"], variants["warmline"]
    return ExperimentResult(
        experiment=NAME,
        title="How long a connection may be idle",
        question="What does maxIdleTimeMS do for an environment that is frozen between its requests?",
        answer=(
            f"A frozen environment keeps its {documented['open_while_frozen']:.0f} connections on the primary whatever "
            f"the idle time; far too short, it opens {variants['too-short']['created_per_request']:.2f} connections "
            f"with each request. Of {len(times['documented'])} freezes in which connections were lost "
            f"{_waited(times['none'])} cost a wait of a second or more without an idle time, "
            f"{_waited(times['documented'])} with MongoDB's, and {_waited(times['warmline'])} with warmline."
        ),
        metrics=tuple(metrics(plan)),
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={
            f"{metric}_documented_to_warmline": documented[metric] / ours[metric] for metric in times["documented"]
        },
        machine=machine(),
        versions=versions(version),
        parameters={
            "environments": options.environments,
            "start": options.start,
            "max_idle_time_ms": plan.idle_time_ms,
            "too_short_ms": plan.short_time_ms,
            "pause_seconds": plan.pause_seconds,
            "requests": plan.requests,
            **{f"freeze_seconds_{freeze.name}": freeze.seconds for freeze in plan.freezes},
        },
        connections=(),
        latencies=(),
        events={},
        notes=(
            "Nothing here ran on AWS: real runtime client, real mongod, one machine, and a proxy that loses "
            "connections.",
            f"A second stands for {_SCALE}: the page's idle time of 60 s is {plan.idle_time_ms / 1000:g} s, and the "
            f"one that is far too short {plan.short_time_ms / 1000:g} s in place of 1 s. What a wait on a lost "
            "connection takes is not shortened: it is PyMongo's own connectTimeoutMS.",
            "What Lambda's monotonic clock does during a freeze is not documented; field reports say it stands still.",
            "Each freeze with lost connections was run once: compare a hang with an answer, not 5 ms with 6 ms.",
        ),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
    )


def _waited(times: Mapping[str, float]) -> int:
    return sum(ms >= 1000 for ms in times.values())


EXPERIMENT = Experiment(NAME, "maxIdleTimeMS: none, the page's, far too short", run, environments=4)
