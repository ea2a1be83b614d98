"""
From what callers and nodes have seen to a result.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from importlib.metadata import version

from ..experiments.result import ConnectionSeries, Event, ExperimentResult, Metric
from ..measure import machine, percentile
from ..scenario.calls import call_metrics, failures, latencies
from .connections import own_connections
from .sentences import answer, notes
from .spec import RemoteRun, Seen
from .watch import Watched

METRICS = (
    Metric("failed_invocations", "failed invocations"),
    Metric("peak_connections", "most connections at once, {node}"),
    Metric("connections_per_environment", "connections of each environment at rest, {node}", 1),
    Metric("first_request_ms_p50", "first request of an environment, Init left out, median (ms)", 1),
    Metric("warm_ms_p50", "warm invocation, median (ms)", 1),
    Metric("cold_ms_p50", "cold start with Init, median (ms)", 1),
    Metric("warm_ms_p99", "warm invocation, p99 (ms)", 1),
    Metric("invocations", "invocations"),
    Metric("throttled_invocations", "throttled invocations"),
    Metric("cold_starts", "cold starts"),
    Metric("connections_before", "connections before the load, all nodes"),
    Metric("connections_at_rest", "connections after it, all nodes"),
)

# By Lambda's clock, and the driver's own.
FURTHER = (
    Metric("init_ms_p50", "Init as Lambda reports it, median (ms)", 1),
    Metric("warm_duration_ms_p50", "warm invocation as Lambda reports it, median (ms)", 1),
    Metric("max_memory_mb", "most memory as Lambda reports it (MB)"),
    Metric("late_ms_p99", "start of an invocation after its time, p99 (ms)", 1),
    Metric("thread_wait_ms_p99", "wait for one of the driver's threads, p99 (ms)", 1),
)


def result_of(run: RemoteRun, seen: Sequence[Seen], watched: Watched | None) -> ExperimentResult:
    """
    Count what can be seen from outside.
    """
    series = tuple(one for each in seen for one in _series(each, watched))
    error_metrics, error_counts = failures({each.variant.name: each.calls for each in seen})
    variants = {each.variant.name: {**_metrics(each, watched), **error_counts[each.variant.name]} for each in seen}
    main = next(iter(watched.nodes.values())) if watched else ""
    shown = [
        metric for metric in (*run.metrics, *FURTHER) if any(metric.name in values for values in variants.values())
    ]
    return ExperimentResult(
        experiment=run.name,
        title=run.title,
        question=f"What do callers and the cluster see of {' and '.join(each.variant.function for each in seen)}?",
        answer=" ".join(answer(each, variants[each.variant.name], main) for each in seen),
        metrics=(
            *(Metric(one.name, one.label.format(node=main), one.decimals) for one in shown),
            *error_metrics,
        ),
        variants=variants,
        variant_labels={each.variant.name: each.variant.label for each in seen},
        ratios={},
        machine=machine(),
        versions={
            "python": platform.python_version(),
            "warmline": version("warmline"),
            "boto3": version("boto3"),
            **({"mongod": watched.version} if watched else {}),
        },
        parameters={
            "target": "aws",
            **{f"{each.variant.name}_function": each.variant.function for each in seen},
            "load": " + ".join(load.text for load in run.loads),
            **({"region": run.where.region} if run.where.region else {}),
            **({"endpoint_url": run.where.endpoint_url} if run.where.endpoint_url else {}),
            **({"nodes": len(watched.nodes)} if watched else {}),
        },
        connections=series,
        latencies=tuple(latencies(each.variant.name, each.calls) for each in seen),
        events={each.variant.name: (Event(0.0, "load"), Event(each.loaded, "rest")) for each in seen},
        notes=notes(seen, variants, watched),
        command=run.command,
    )


def _metrics(seen: Seen, watched: Watched | None) -> dict[str, float]:
    calls = seen.calls
    metrics = call_metrics(calls)
    reported = [call for call in calls if math.isfinite(call.duration_ms)]
    metrics |= {
        "errors": metrics["failed_invocations"],
        "first_request_ms_p50": percentile([call.duration_ms for call in reported if call.init_ms is not None], 50),
        "init_ms_p50": percentile([call.init_ms for call in reported if call.init_ms is not None], 50),
        "warm_duration_ms_p50": percentile([call.duration_ms for call in reported if call.init_ms is None], 50),
        "max_memory_mb": max(
            (call.max_memory_mb for call in reported if math.isfinite(call.max_memory_mb)), default=math.nan
        ),
        "thread_wait_ms_p99": percentile([call.waited_ms for call in calls if call.outcome != "throttled"], 99),
    }
    if watched is None:
        return metrics
    mine = own_connections(seen)
    before = mine.total(seen.before.values())
    of_role = {watched.nodes[node]: mine.count(sample) for node, sample in seen.at_rest.items()}
    main, *others = watched.nodes.values()
    # Environments that were there before are not among the cold starts.
    environments = metrics["cold_starts"] if not before else 0
    each = {role: count / environments if environments else math.nan for role, count in of_role.items()}
    peak = max((mine.count(sample) for sample in seen.samples if watched.nodes[sample.node] == main), default=0)
    return {
        **metrics,
        "peak_connections": peak,
        "connections_before": before,
        "connections_at_rest": sum(of_role.values()),
        "connections_per_environment": each.get(main, math.nan),
        "primary_connections_per_environment": each.get(main, math.nan),
        "secondary_connections_per_environment": (
            sum(each.get(other, math.nan) for other in others) / len(others) if others else math.nan
        ),
    }


def _series(seen: Seen, watched: Watched | None) -> list[ConnectionSeries]:
    series = []
    mine = own_connections(seen)
    for node, role in watched.nodes.items() if watched else ():
        samples = [sample for sample in seen.samples if sample.node == node]
        seconds = tuple(round(sample.seconds - seen.started, 3) for sample in samples)
        series.append(ConnectionSeries(seen.variant.name, role, seconds, tuple(map(mine.count, samples))))
    return series
