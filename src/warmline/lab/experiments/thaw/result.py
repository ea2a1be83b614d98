"""
What was measured, as metrics: a table for the first operation, one for the second, and one for how it ended.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import IntEnum

from ...errors import ClockUnavailable
from ...measure import machine, versions
from ..experiment import RunOptions
from ..result import ExperimentResult, Latencies, Metric, Waits
from .cases import Plan
from .measure import Measurement, Thawed

NAME = "thaw"

_WORDS = ("ok", "error", "killed", "crashed")
_OUTCOMES = "Outcome (error: before the deadline; killed: by Lambda's timeout)"


class _Outcome(IntEnum):
    """
    Both operations did what they should, one raised and the function answered, Lambda's timeout came, or all else.
    """

    OK = 0
    FAILED = 1
    KILLED = 2
    ENDED = 3


def to_result(plan: Plan, options: RunOptions, measurement: Measurement) -> ExperimentResult:
    """
    Make the result.

    :raises ClockUnavailable: a clock that was to stand still has not: the figures would be of something else.
    """
    for thawed in measurement.thawed:
        check_clock(thawed, plan.freeze_seconds)
    variants = {
        variant.name: _metrics([thawed for thawed in measurement.thawed if thawed.variant == variant])
        for variant in plan.variants
    }
    return ExperimentResult(
        experiment=NAME,
        title="What was lost during a freeze",
        question="How long does the first operation take after a freeze in which connections were lost?",
        answer=_answer(plan, variants),
        metrics=tuple(_all_metrics(plan)),
        variants=variants,
        variant_labels={variant.name: variant.label for variant in plan.variants},
        ratios={
            f"worst_first_ms_reachable_{name.replace('-', '_')}_to_warmline": (
                metrics["worst_first_ms_reachable"] / variants["warmline"]["worst_first_ms_reachable"]
            )
            for name, metrics in variants.items()
            if name != "warmline"
        },
        machine=machine(),
        versions=versions(measurement.mongod_version),
        parameters={
            "environments": len(measurement.thawed),
            "start": options.start,
            "freezer": measurement.freezer,
            "clusters": measurement.clusters,
            "freeze_seconds": plan.freeze_seconds,
            "max_idle_time_ms": plan.idle_time_ms,
            **{
                f"timeout_seconds_{variant.name.replace('-', '_')}": variant.timeout_seconds
                for variant in plan.variants
            },
        },
        connections=(),
        latencies=tuple(
            Latencies(
                variant.name,
                tuple(thawed.cold.latency_ms for thawed in measurement.thawed if thawed.variant == variant),
                tuple(thawed.result.latency_ms for thawed in measurement.thawed if thawed.variant == variant),
            )
            for variant in plan.variants
        ),
        waits=Waits(warm="After the thaw", warm_text="The first invocation after it, with two operations."),
        events={},
        notes=tuple(_notes(plan, measurement)),
        command=f"warmline lab run {NAME} --start {options.start}",
    )


def check_clock(thawed: Thawed, freeze_seconds: float) -> None:
    """
    Check that a clock that was to stand still has done so.

    :raises ClockUnavailable: it has not.
    """
    if thawed.case.monotonic == "stands-still" and thawed.operations:
        first = thawed.operations[0]
        passed = first.monotonic - first.ms / 1000 - thawed.before.monotonic
        if passed > freeze_seconds / 2:
            raise ClockUnavailable(
                f"over a freeze of {freeze_seconds:.0f} s the monotonic clock of {thawed.result.environment} went on "
                f"by {passed:.0f} s: is this Python linked statically?"
            )


def _all_metrics(plan: Plan) -> Iterable[Metric]:
    yield Metric("worst_first_ms_reachable", "first operation at worst, cluster reachable (ms)", 1)
    yield Metric("failed_reachable", "cases with an error, cluster reachable")
    yield Metric("worst_first_ms_unreachable", "first operation at worst, cluster not reachable (ms)", 1)
    for name, group in (
        ("first_ms", "First operation, from the invocation on (ms)"),
        ("second_ms", "Second operation (ms)"),
    ):
        yield from (Metric(f"{name}_{case.name}", case.label, 1, group) for case in plan.cases)
    for case in plan.cases:
        yield Metric(f"outcome_{case.name}", case.label, 0, _OUTCOMES, _WORDS)


def _metrics(all_thawed: Iterable[Thawed]) -> dict[str, float]:
    metrics = {}
    first: dict[bool, list[float]] = {True: [], False: []}
    failed = 0
    for thawed in all_thawed:
        case, outcome = thawed.case, _outcome(thawed)
        times = thawed.times_ms
        metrics[f"first_ms_{case.name}"] = times[0]
        metrics[f"second_ms_{case.name}"] = times[1] if len(times) > 1 else math.nan
        metrics[f"outcome_{case.name}"] = outcome
        first[case.event.reachable].append(times[0])
        failed += case.event.reachable and outcome is not _Outcome.OK
    return {
        "worst_first_ms_reachable": max(first[True], default=math.nan),
        "failed_reachable": failed,
        "worst_first_ms_unreachable": max(first[False], default=math.nan),
        **metrics,
    }


def _outcome(thawed: Thawed) -> _Outcome:
    if thawed.result.function_error is None:
        return _Outcome.FAILED if any(operation.error for operation in thawed.operations) else _Outcome.OK
    return _Outcome.KILLED if b"Sandbox.Timedout" in thawed.result.payload else _Outcome.ENDED


def _answer(plan: Plan, variants: Mapping[str, Mapping[str, float]]) -> str:
    labels = {variant.name: variant.label for variant in plan.variants}
    worst = {labels[name]: metrics["worst_first_ms_reachable"] for name, metrics in variants.items()}
    told = ", ".join(f"{_time(ms)} ({label})" for label, ms in worst.items())
    return (
        f"After {plan.freeze_seconds:.0f} s frozen, with the cluster still reachable, the first operation took at "
        f"worst {told}."
    )


def _time(ms: float) -> str:
    return f"{ms / 1000:.1f} s" if ms >= 1000 else f"{ms:.0f} ms"


def _notes(plan: Plan, measurement: Measurement) -> Iterable[str]:
    yield "Nothing here ran on AWS: real runtime client, real mongod, one machine, and a proxy that loses connections."
    yield (
        "Only processes are frozen: this machine's kernel goes on for them, so a reset or a FIN has arrived before the "
        "thaw. A frozen Lambda environment gets it afterwards, or never."
    )
    if "stands-still" in plan.clocks:
        yield "What Lambda's monotonic clock does during a freeze is not documented; field reports say it stands still."
    else:
        yield "The cases in which the monotonic clock stands still are left out: they need Linux and a C compiler (cc)."
    yield "Each case was run once: compare a hang with an answer, not 5 ms with 6 ms."
    limits = {variant.timeout_seconds for variant in plan.variants if variant.name != "warmline"}
    for limit in sorted(limits):
        yield (
            f"Plain PyMongo's functions have {limit:.0f} s, so that all of its wait is seen; within Lambda's default "
            "of 3 s they would be killed."
        )
    for variant in plan.variants:
        errors = {
            operation.error
            for thawed in measurement.thawed
            if thawed.variant == variant
            for operation in thawed.operations
            if operation.error
        }
        if errors:
            yield f"Errors seen by {variant.label}: {', '.join(sorted(errors))}."
