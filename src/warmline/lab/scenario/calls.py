"""
What a function's callers saw, as metrics.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..experiments.result import Latencies, Metric
from ..load import Call
from ..measure import percentile
from .failures import most_frequent

FAILURES = "Failed invocations by their message"

# The table shows so many kinds; a run with more has one cause or two all the same.
_MOST_KINDS = 5

# A driver that is further behind than this has not given the load that was asked for.
LATE_MS = 100.0


def call_metrics(calls: Sequence[Call]) -> dict[str, float]:
    """
    Counts and times of one function's invocations.
    """
    cold = [call for call in calls if call.init_ms is not None]
    warm_ms = [call.latency_ms for call in calls if call.outcome == "answered" and call.init_ms is None]
    return {
        "invocations": len(calls),
        "failed_invocations": sum(call.outcome == "failed" for call in calls),
        "throttled_invocations": sum(call.outcome == "throttled" for call in calls),
        "cold_starts": len(cold),
        "cold_ms_p50": percentile([call.latency_ms for call in cold if call.outcome == "answered"], 50),
        "warm_ms_p50": percentile(warm_ms, 50),
        "warm_ms_p99": percentile(warm_ms, 99),
        "late_ms_p99": percentile([1000 * call.late_seconds for call in calls], 99),
    }


def latencies(name: str, calls: Sequence[Call]) -> Latencies:
    """
    What the callers waited who have an answer.
    """
    answered = [call for call in calls if call.outcome == "answered"]
    return Latencies(
        name,
        tuple(call.latency_ms for call in answered if call.init_ms is not None),
        tuple(call.latency_ms for call in answered if call.init_ms is None),
    )


def failures(calls: dict[str, Sequence[Call]]) -> tuple[tuple[Metric, ...], dict[str, dict[str, float]]]:
    """
    A metric for each of the most frequent messages of all functions, and each function's count of it.
    """
    everywhere = most_frequent([call for of_one in calls.values() for call in of_one], _MOST_KINDS)
    metrics = tuple(
        Metric(f"failures_{number}", failure.message, group=FAILURES) for number, failure in enumerate(everywhere, 1)
    )
    counts = {}
    for name, of_one in calls.items():
        times = {failure.kind: failure.times for failure in most_frequent(of_one, len(of_one))}
        counts[name] = {
            metric.name: float(times.get(failure.kind, 0)) for metric, failure in zip(metrics, everywhere, strict=True)
        }
    return metrics, counts
