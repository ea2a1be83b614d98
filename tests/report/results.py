"""
Results as an experiment gives them back, made up from a seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

from warmline.lab.experiments.result import ConnectionSeries, Event, ExperimentResult, Latencies, Metric, StateSeries

ENVIRONMENTS = 20
PHASES = (Event(0.0, "burst"), Event(12.0, "steady"), Event(38.0, "idle"), Event(47.0, "scale-in"))
LABELS = {
    "per-invocation": "client per invocation",
    "documented": "MongoDB's documented example",
    "warmline": "warmline",
}
METRICS = (
    Metric("primary_connections_per_environment", "connections per environment, primary", 2),
    Metric("secondary_connections_per_environment", "connections per environment, each secondary", 2),
    Metric("connections_created", "connections created, all nodes"),
    Metric("connections_left_after_shutdown", "connections left 10 s after shutdown"),
    Metric("connections_left_after_kill", "connections left 10 s after a kill"),
    Metric("cold_ms_p50", "cold start, median (ms)", 1),
    Metric("warm_ms_p50", "warm invocation, median (ms)", 1),
    Metric("warm_ms_p99", "warm invocation, p99 (ms)", 1),
    Metric("errors", "failed invocations"),
)
VALUES = {
    "per-invocation": (7.94, 3.97, 4480, 0, 0, 412.3, 58.2, 141.7, 0),
    "documented": (2.0, 1.0, 80, 80, 0, 371.9, 3.44, 12.18, 0),
    "warmline": (2.0, 1.0, 80, 0, 0, 248.6, 3.21, 9.87, 0),
}
STATES = {
    "starting": (20, 0, 0, 0, 0, 0, 0),
    "busy": (0, 20, 4, 0, 0, 0, 0),
    "frozen": (0, 0, 16, 20, 20, 0, 0),
}
# The median and the spread of a lognormal distribution.
COLD = {"per-invocation": (412.0, 0.22), "documented": (372.0, 0.2), "warmline": (249.0, 0.18)}
WARM = {"per-invocation": (58.0, 0.38), "documented": (3.4, 0.5), "warmline": (3.2, 0.42)}


def reuse_client(
    labels: Mapping[str, str] = LABELS, *, samples: int = 600, seed: int = 20, title: str = "One client, or many"
) -> ExperimentResult:
    """
    Three ways of connecting under the same burst, steady load, idle time and scale-in.
    """
    chance = random.Random(seed)
    names = tuple(metric.name for metric in METRICS)
    return ExperimentResult(
        experiment="reuse-client",
        title=title,
        question="What do three ways of connecting do to a three-member replica set under the same load?",
        answer=(
            "For 280 invocations in 20 environments a client per invocation opened 4,480 connections, warmline 80: "
            "2 per environment on the primary and 1 on each secondary."
        ),
        metrics=METRICS,
        variants={name: dict(zip(names, values, strict=True)) for name, values in VALUES.items()},
        variant_labels=labels,
        ratios={
            "connections_created_per_invocation_to_warmline": 56.0,
            "warm_ms_p50_per_invocation_to_warmline": 18.131,
            "cold_ms_p50_documented_to_warmline": 1.49598,
            "first_request_to_warm": 0.04217,
        },
        machine={"cores": 2, "memory_gib": 7.8, "system": "Linux 6.1.0", "architecture": "x86_64"},
        versions={"python": "3.11.7", "warmline": "0.1.0", "pymongo": "4.20.0", "mongod": "6.0.5"},
        parameters={"environments": ENVIRONMENTS, "start": "zygote", "members": 3, "rounds": 12, "idle_seconds": 3.0},
        connections=tuple(
            ConnectionSeries(variant, node, *_counts(chance, share, samples, noisy=variant == "per-invocation"))
            for variant in VALUES
            for node, share in (("primary", 2), ("secondary 1", 1), ("secondary 2", 1))
        ),
        latencies=tuple(
            Latencies(name, _lognormal(chance, *COLD[name], ENVIRONMENTS), _lognormal(chance, *WARM[name], 260))
            for name in VALUES
        ),
        events=dict.fromkeys(VALUES, PHASES),
        notes=(
            "Nothing here ran on AWS: real runtime client, real mongod, one machine.",
            "A kill here lets the kernel close the sockets. Lambda destroys an environment without that, and the "
            "server then keeps its connections until keepalive gives up.",
            "Environments share this machine's cores, so latencies compare within a run only.",
        ),
        command="warmline lab run reuse-client --environments 20 --start zygote",
        environments=tuple(
            StateSeries(variant, state, (0.0, 1.5, 12.0, 38.0, 47.0, 48.0, 60.0), counts)
            for variant in VALUES
            if samples
            for state, counts in STATES.items()
        ),
    )


def _counts(
    chance: random.Random, share: int, samples: int, *, noisy: bool
) -> tuple[tuple[float, ...], tuple[int, ...]]:
    seconds = tuple(round(number * 60 / samples, 3) for number in range(samples))
    return seconds, tuple(_noisy(chance, seconds, share) if noisy else (_level(second, share) for second in seconds))


def _level(second: float, share: int) -> int:
    """
    A rise in the burst, then level until the scale-in.
    """
    left = min(1.0, second / 8) if second < 47.0 else max(0.0, 1 - (second - 47.0) / 2)
    return round(ENVIRONMENTS * share * left)


def _noisy(chance: random.Random, seconds: Sequence[float], share: int) -> Iterator[int]:
    """
    Up with each round of invocations, down with each collection of what they left behind.
    """
    most = 4 * ENVIRONMENTS * share
    count = 0
    for second in seconds:
        busy = second < 38.0
        if busy and chance.random() < 0.25:
            count = chance.randint(count, most)
        elif chance.random() < 0.12 or not busy:
            count = chance.randint(0, count)
        yield count


def _lognormal(chance: random.Random, median: float, spread: float, number: int) -> tuple[float, ...]:
    return tuple(median * chance.lognormvariate(0, spread) for _ in range(number))
