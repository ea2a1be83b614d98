"""
Numbered inserts while servers and network fail: what was acknowledged must be there, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...atlas import AtlasSpec
from ...measure import machine, versions
from ..bench import open_atlas
from ..experiment import Experiment, OnProgress, RunOptions
from ..result import ExperimentResult, Latencies, Metric
from .waves import TIMEOUT_SECONDS, URI_OPTIONS, Plan, VariantRun, run_variant

__all__ = ["EXPERIMENT", "run"]

NAME = "acknowledged-writes"


async def run(options: RunOptions, on_progress: OnProgress, plan: Plan | None = None) -> ExperimentResult:
    """
    Let each variant insert all the numbers, into a collection of its own.
    """
    plan = plan or Plan()
    on_progress("starting the cluster", 0.0)
    async with open_atlas(options, AtlasSpec(through_front=True), lambda step: on_progress(step, 0.01)) as opened:
        workspace, cluster = opened
        runs = {}
        for number, variant in enumerate(plan.variants):
            report = _part(on_progress, variant.label, number, len(plan.variants))
            runs[variant.name] = await run_variant(variant, plan, workspace, cluster, options, report)
        return _result(plan, options, cluster.servers.mongod_version, runs)


def _part(on_progress: OnProgress, label: str, number: int, parts: int) -> OnProgress:
    def report(doing: str, done: float) -> None:
        on_progress(f"{label}: {doing}", 0.05 + 0.95 * (number + done) / parts)

    return report


def _metrics(plan: Plan) -> Iterable[Metric]:
    yield Metric("acknowledged", "acknowledged inserts")
    yield Metric("lost", "of them lost")
    yield Metric("duplicated", "numbers that are there more than once")
    yield Metric("past_deadline", "acknowledged after the invocation's deadline")
    yield Metric("errors", "inserts with an error")
    yield Metric("unanswered", "inserts without an answer: their invocation was killed")
    yield Metric("unacknowledged_but_there", "not acknowledged, and there")
    yield Metric("killed", "invocations killed by Lambda's timeout")
    yield Metric("faults", "faults that came while inserts ran")
    for fault in plan.faults:
        yield Metric(f"unacknowledged_{fault.name}", fault.label, 0, "Not acknowledged, by fault")


def _result(plan: Plan, options: RunOptions, mongod: str, runs: Mapping[str, VariantRun]) -> ExperimentResult:
    labels = {variant.name: variant.label for variant in plan.variants}
    told = "; ".join(
        f"{labels[name]} acknowledged {run.counts['acknowledged']:,.0f}, of which {run.counts['lost']:.0f} are lost, "
        f"{run.counts['duplicated']:.0f} are there twice and {run.counts['past_deadline']:.0f} came too late"
        for name, run in runs.items()
    )
    return ExperimentResult(
        experiment=NAME,
        title="What was acknowledged is there",
        question="Is every acknowledged insert there once while servers and network fail, and was it told in time?",
        answer=f"Of {plan.inserts:,} inserts {told}.",
        metrics=tuple(_metrics(plan)),
        variants={name: run.counts for name, run in runs.items()},
        variant_labels=labels,
        ratios={},
        machine=machine(),
        versions=versions(mongod),
        parameters={
            "environments": options.environments,
            "start": options.start,
            "inserts": plan.inserts,
            "inserts_per_invocation": plan.batch,
            "timeout_seconds": TIMEOUT_SECONDS,
            "uri_options": URI_OPTIONS,
        },
        connections=(),
        latencies=tuple(
            Latencies(
                name,
                tuple(result.latency_ms for result in run.results if result.cold),
                tuple(result.latency_ms for result in run.results if not result.cold),
            )
            for name, run in runs.items()
        ),
        events={},
        notes=(
            "Nothing here ran on AWS: real runtime client, real mongod, one machine, and a proxy that loses "
            "connections.",
            "A server is killed with SIGKILL, but the machine under it stays up: what it has handed to the kernel is "
            "not lost.",
            "An insert that was not acknowledged may be there all the same: then the answer was lost, not the write.",
        ),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
    )


EXPERIMENT = Experiment(NAME, "numbered inserts while servers and network fail", run)
