"""
From what a scenario's run has seen to its result.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

from ..experiments.bench import AtlasBench
from ..experiments.result import ConnectionSeries, ExperimentResult, Metric
from ..experiments.series import environments_over_time
from ..measure import machine, percentile, versions
from .calls import call_metrics, failures, latencies
from .runs import FunctionRun, Run
from .sentences import answer, notes, parameters
from .servers import Servers, lives_of, node_groups
from .spec import Scenario

METRICS = (
    Metric("failed_invocations", "failed invocations"),
    Metric("peak_connections", "most connections at once, {node}"),
    Metric("connections_per_environment", "connections of each environment at rest, {node}", 1),
    Metric("connects_per_invocation", "connections created for each invocation, all nodes", 2),
    Metric("warm_ms_p50", "warm invocation, median (ms)", 1),
    Metric("environments_killed", "environments killed with their connections open"),
    Metric("cold_ms_p50", "cold start with Init, median (ms)", 1),
    Metric("warm_ms_p99", "warm invocation, p99 (ms)", 1),
    Metric("invocations", "invocations"),
    Metric("throttled_invocations", "throttled invocations"),
    Metric("cold_starts", "cold starts"),
    Metric("most_started_in_a_second", "environments started in the busiest second"),
    Metric("connections_created", "connections created, all nodes"),
    Metric("connections_left", "connections left after the end, all nodes"),
    Metric("memory_mib_per_environment", "memory per environment (MiB, PSS)", 1),
    Metric("late_ms_p99", "start of an invocation after its time, p99 (ms)", 1),
    Metric("core_wait_ms_p99", "wait for one of this machine's cores, p99 (ms)", 1),
)

_OF_LIMIT = Metric("peak_percent_of_limit", "most connections at once, percent of the tier's limit", 1)


def result_of(scenario: Scenario, bench: AtlasBench, run: Run) -> ExperimentResult:
    """
    Count what the servers' logs, the samples and the callers have seen.
    """
    names = tuple(function.name for function in run.functions)
    groups = node_groups(bench, elects=any(event.form.elects for event in scenario.events))
    cluster = Servers(names, groups, lives_of(run, groups), scenario.cluster)
    error_metrics, error_counts = failures({function.name: function.calls for function in run.functions})
    series = {name: cluster.series(name, run) for name in names}
    variants = {
        function.name: {**_metrics(function, run, cluster, series[function.name]), **error_counts[function.name]}
        for function in run.functions
    }
    return ExperimentResult(
        experiment=scenario.name,
        title=scenario.title,
        question=f"What does the cluster see of {' and '.join(names)} under this load?",
        answer=" ".join(answer(name, metrics, cluster) for name, metrics in variants.items()),
        metrics=(*_named(cluster), *error_metrics),
        variants=variants,
        variant_labels={name: name for name in names},
        ratios={},
        machine=machine(),
        versions=versions(bench.cluster.servers.mongod_version),
        parameters=parameters(scenario, bench),
        connections=tuple(one for of_function in series.values() for one in of_function),
        latencies=tuple(latencies(function.name, function.calls) for function in run.functions),
        events=dict.fromkeys(names, run.events),
        notes=notes(scenario, bench, run, variants),
        command=scenario.command,
        # They are counted over all functions.
        environments=environments_over_time(bench, names[0], run.started) if len(names) == 1 else (),
    )


def _named(cluster: Servers) -> tuple[Metric, ...]:
    """
    How to read the values, with the server's name in them.
    """
    shown = (*METRICS, *((_OF_LIMIT,) if cluster.limit else ()))
    return tuple(Metric(one.name, one.label.format(node=cluster.main), one.decimals) for one in shown)


def _metrics(function: FunctionRun, run: Run, cluster: Servers, series: Sequence[ConnectionSeries]) -> dict[str, float]:
    metrics = call_metrics(function.calls)
    served = metrics["invocations"] - metrics["throttled_invocations"]
    created, environments = cluster.created(function.name), len(function.endings)
    peak = max((max(one.counts, default=0) for one in series if one.node == cluster.main), default=0)
    starts = [call for call in function.calls if call.init_ms is not None]
    at_rest = cluster.open(function.name, run.at_rest)
    killed = sum(ending.killed_after_ms is not None for ending in function.endings)
    return {
        **metrics,
        "peak_connections": peak,
        "peak_percent_of_limit": 100 * peak / cluster.limit if cluster.limit else math.nan,
        "connections_created": created,
        "connects_per_invocation": created / served if served else math.nan,
        "connections_per_environment": (
            cluster.open(function.name, run.at_rest, cluster.main) / environments if environments else math.nan
        ),
        # One that holds none has nothing to leave.
        "environments_killed": killed if at_rest else 0,
        "environments": environments,
        "connections_at_rest": at_rest,
        "connections_left": cluster.open(function.name, run.left),
        "most_started_in_a_second": _most_in_a_second([call.ended for call in starts]),
        "memory_mib_per_environment": function.memory_mib,
        "core_wait_ms_p99": percentile([call.waited_ms for call in function.calls if call.environment], 99),
    }


def _most_in_a_second(moments: Sequence[float]) -> int:
    in_order = sorted(moments)
    return max((bisect_left(in_order, first + 1) - number for number, first in enumerate(in_order)), default=0)
