"""
What was measured, as metrics: how many endings were clean, and how long connections lasted.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping, Sequence

from ...measure import machine, percentile, versions
from ..experiment import RunOptions
from ..result import ExperimentResult, Metric
from .cases import AWS_SAMPLE, BUSY, VARIANTS, WARMLINE, Plan
from .measure import Ended, Measurement

NAME = "shutdown"


def to_result(options: RunOptions, measurement: Measurement) -> ExperimentResult:
    """
    Make the result.
    """
    plan = measurement.plan
    variants = {
        variant.name: _metrics(plan, [ended for ended in measurement.ended if ended.variant == variant])
        for variant in VARIANTS
    }
    return ExperimentResult(
        experiment=NAME,
        title="The environment's end",
        question="Do the connections end with the environment, and how soon?",
        answer=_answer(plan, variants),
        metrics=tuple(_all_metrics(plan)),
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={
            "clean_percent_warmline_to_aws_sample": (
                variants[WARMLINE.name]["clean_percent"] / variants[AWS_SAMPLE.name]["clean_percent"]
                if variants[AWS_SAMPLE.name]["clean_percent"]
                else float("inf")
            )
        },
        machine=machine(),
        versions=versions(measurement.mongod_version),
        parameters={
            "environments": plan.endings,
            "busy": plan.busy,
            "start": options.start,
            "freezer": measurement.freezer,
        },
        connections=(),
        latencies=(),
        events={},
        notes=tuple(_notes(plan)),
        command=f"warmline lab run {NAME} --environments {plan.endings} --start {options.start}",
    )


def _all_metrics(plan: Plan) -> Iterable[Metric]:
    yield Metric("clean_percent", "endings that were clean, of all but the busy (%)", 1)
    yield Metric("worst_p99_ms", "worst p99 of a case, with a network (ms)")
    yield Metric("worst_p99_ms_dead_network", "worst p99 of a case, network dead (ms)")
    yield Metric(f"deadlocks_of_{plan.busy}", f"busy environments that had to be killed, of {plan.busy}")
    for case in plan.cases:
        yield Metric(f"clean_of_{plan.endings}_{case.name}", case.label, 0, f"Clean endings, of {plan.endings}")
    for case in plan.cases:
        yield Metric(f"p99_ms_{case.name}", case.label, 0, "From SIGTERM until no connection is left, p99 (ms)")


def _metrics(plan: Plan, endings: Sequence[Ended]) -> dict[str, float]:
    calm = [ended for ended in endings if ended.case.situation is not BUSY]
    busy = [ended for ended in endings if ended.case.situation is BUSY]
    metrics: dict[str, float] = {"clean_percent": 100 * sum(ended.clean for ended in calm) / len(calm)}
    worst: dict[bool, list[float]] = {True: [], False: []}
    for case in plan.cases:
        of_case = [ended for ended in calm if ended.case == case]
        if not of_case:
            continue
        p99 = percentile([ended.milliseconds for ended in of_case], 99)
        metrics[f"clean_of_{plan.endings}_{case.name}"] = sum(ended.clean for ended in of_case)
        metrics[f"p99_ms_{case.name}"] = p99
        worst[case.situation.network].append(p99)
    if worst[True]:
        metrics["worst_p99_ms"] = max(worst[True])
    if worst[False]:
        metrics["worst_p99_ms_dead_network"] = max(worst[False])
    if busy:
        metrics[f"deadlocks_of_{plan.busy}"] = sum(ended.exit_code == -signal.SIGKILL for ended in busy)
    return metrics


def _answer(plan: Plan, variants: Mapping[str, Mapping[str, float]]) -> str:
    ours, sample = variants[WARMLINE.name], variants[AWS_SAMPLE.name]
    answer = (
        f"With warmline {ours['clean_percent']:.0f} % of the environments closed their connections and ended by "
        f"themselves, and with AWS's sample {sample['clean_percent']:.0f} %"
    )
    name = f"deadlocks_of_{plan.busy}"
    return f"{answer}; of {plan.busy} busy ones {ours[name]:.0f} and {sample[name]:.0f} had to be killed."


def _notes(plan: Plan) -> Iterable[str]:
    yield "Nothing here ran on AWS: real runtime client, real mongod, one machine."
    yield (
        "A kill here lets the kernel close the sockets. Lambda destroys an environment without that, and the server "
        "then keeps its connections until keepalive gives up: the time of what was killed is the lab's, not AWS's."
    )
    yield (
        "On a dead network no server can learn of the end: there the time is until the process has ended, and its "
        "connections are counted when the network is back."
    )
    if not any(situation.freezer == "cgroup" for situation in plan.situations):
        yield "The cgroup freezer is left out: this user may not write to a cgroup v2 hierarchy."
