"""
What was measured, as metrics: the totals, and for each case how its two invocations ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum

from ...aws import InvokeResult
from ...measure import machine, versions
from ..acknowledged_writes.waves import TIMEOUT_SECONDS, URI_OPTIONS
from ..experiment import RunOptions
from ..result import ExperimentResult, Metric
from .cells import Cell, Plan
from .measure import Measurement

NAME = "fault-matrix"


class Outcome(IntEnum):
    """
    How an invocation ended: every write acknowledged, errors before the deadline, Lambda's timeout, or otherwise.
    """

    WRITTEN = 0
    ERRORS = 1
    KILLED = 2
    ENDED = 3


_WORDS = ("ok", "error", "killed", "ended")
_AFTER = "The invocation after the freeze (error: before the deadline; killed: by Lambda's timeout)"
_NEXT = "The next invocation, when all is well again"


def to_result(options: RunOptions, measurement: Measurement) -> ExperimentResult:
    """
    Make the result.
    """
    plan = measurement.plan
    variants = {
        variant.name: _metrics([cell for cell in measurement.cells if cell.variant == variant])
        for variant in plan.variants
    }
    labels = {variant.name: variant.label for variant in plan.variants}
    told = "; ".join(
        f"{labels[name]}: {metrics['past_deadline']:.0f} invocations past their deadline, {metrics['lost']:.0f} "
        f"acknowledged writes lost, the next invocation good in {metrics['next_good']:.0f}"
        for name, metrics in variants.items()
    )
    return ExperimentResult(
        experiment=NAME,
        title="All that can happen during a freeze",
        question="Is anything lost or late after a freeze, and does the next invocation work?",
        answer=f"Of {len(plan.faults) * len(plan.clocks)} cases {told}.",
        metrics=tuple(_all_metrics(plan)),
        variants=variants,
        variant_labels=labels,
        ratios={},
        machine=machine(),
        versions=versions(measurement.mongod_version),
        parameters={
            "environments": len(measurement.cells),
            "start": options.start,
            "freezer": measurement.freezer,
            "clusters": measurement.clusters,
            "freeze_seconds": plan.freeze_seconds,
            "timeout_seconds": TIMEOUT_SECONDS,
            "uri_options": URI_OPTIONS,
        },
        connections=(),
        latencies=(),
        events={},
        notes=tuple(_notes(plan)),
        command=f"warmline lab run {NAME} --start {options.start}",
    )


def _all_metrics(plan: Plan) -> Iterable[Metric]:
    yield Metric("past_deadline", "invocations past their deadline")
    yield Metric("acknowledged", "acknowledged writes")
    yield Metric("lost", "of them lost")
    yield Metric("duplicated", "writes that are there more than once")
    yield Metric("next_good", "cases in which the next invocation is good")
    yield Metric("cases", "cases")
    for name, group in (("after", _AFTER), ("next", _NEXT)):
        for fault in plan.faults:
            for clock in plan.clocks:
                label = fault.label + ("" if clock == "runs" else ", clock stood still")
                yield Metric(f"{name}_{_key(fault.name, clock)}", label, 0, group, _WORDS)


def _key(fault: str, clock: str) -> str:
    return f"{fault}_clock_{clock.replace('-', '_')}"


def _metrics(cells: Iterable[Cell]) -> Mapping[str, float]:
    metrics: dict[str, float] = dict.fromkeys(
        ("past_deadline", "acknowledged", "lost", "duplicated", "next_good", "cases"), 0
    )
    for cell in cells:
        key = _key(cell.fault.name, cell.monotonic)
        after, following = (
            outcome(cell.after, written=cell.written["after"]),
            outcome(cell.next, written=cell.written["next"]),
        )
        metrics[f"after_{key}"], metrics[f"next_{key}"] = after, following
        metrics["past_deadline"] += cell.books["past_deadline"] + (after, following).count(Outcome.KILLED)
        metrics["next_good"] += following is Outcome.WRITTEN
        metrics["cases"] += 1
        for name in ("acknowledged", "lost", "duplicated"):
            metrics[name] += cell.books[name]
    return metrics


def outcome(result: InvokeResult, *, written: bool) -> Outcome:
    """
    Tell how an invocation ended; ``written`` says whether all its writes were acknowledged.
    """
    if result.function_error is None:
        return Outcome.WRITTEN if written else Outcome.ERRORS
    return Outcome.KILLED if b"Sandbox.Timedout" in result.payload else Outcome.ENDED


def _notes(plan: Plan) -> Iterable[str]:
    yield "Nothing here ran on AWS: real runtime client, real mongod, one machine, and a proxy that loses connections."
    yield (
        "Only processes are frozen: this machine's kernel goes on for them, so a reset or a FIN has arrived before the "
        "thaw. A frozen Lambda environment gets it afterwards, or never."
    )
    yield "Each case was run once."
    if "stands-still" in plan.clocks:
        yield "What Lambda's monotonic clock does during a freeze is not documented; field reports say it stands still."
    else:
        yield "The cases in which the monotonic clock stands still are left out: they need Linux and a C compiler (cc)."
