"""
What a run of the peers comes to.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...aws import InvokeResult
from ...measure import machine, percentile
from ...measure import versions as versions_of
from ..experiment import RunOptions
from ..result import ExperimentResult, Latencies, Metric
from .measure import FROZEN_SECONDS, ROUNDS, TIMEOUT_SECONDS, VARIANTS, WORDS, Life
from .packages import NEEDS_PYTHON, PEERS, versions

NAME = "peers"

METRICS = (
    Metric("primary_connections_per_environment", "kept per environment, primary", 2, "Connections"),
    Metric("secondary_connections_per_environment", "kept per environment, each secondary", 2, "Connections"),
    Metric("primary_peak_per_environment", "most open at once per environment, primary", 2, "Connections"),
    Metric("created_per_invocation", "created per invocation, all nodes", 2, "Connections"),
    Metric("ended_by_itself_percent", "environments that end by themselves at Shutdown (%)", 0, "Connections"),
    Metric("cold_ms_p50", "cold start with Init, median (ms)", 1, "Time"),
    Metric("first_request_ms_p50", "first request, Init left out, median (ms)", 1, "Time"),
    Metric("warm_ms_p50", "warm invocation, median (ms)", 1, "Time"),
    Metric("warm_ms_p99", "warm invocation, p99 (ms)", 1, "Time"),
    Metric("errors_percent", "failed invocations (%)", 1, "What fails"),
    Metric("readme_handler_fails", "the README's handler as it stands", 0, "What fails", ("works", "fails")),
    Metric("malformed_uri", "a URI that is none", 0, "What fails", WORDS),
    Metric("unreachable_uri", "a server that is not there", 0, "What fails", WORDS),
    Metric("thaw_ms_p50", "first request after it, median (ms)", 0, "A thaw with dead connections"),
    Metric("thaw_failed_percent", "of them failed (%)", 0, "A thaw with dead connections"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """
    Everything about one variant.
    """

    life: Life
    malformed: int
    unreachable: int
    thawed: Sequence[InvokeResult]
    readme: InvokeResult | None = None

    def metrics(self, environments: int) -> dict[str, float]:
        """
        The variant's row.
        """
        cold = [result for result in self.life.results if result.cold]
        warm = [result.duration_ms for result in self.life.results if not result.cold and not result.function_error]
        secondaries = [count for node, count in self.life.held.items() if node != "primary"]
        created = sum(len(lives) for lives in self.life.lives.values())
        found: dict[str, float] = {
            "primary_connections_per_environment": self.life.held["primary"] / environments,
            "secondary_connections_per_environment": sum(secondaries) / len(secondaries) / environments,
            "primary_peak_per_environment": self.life.primary_peak / environments,
            "created_per_invocation": created / len(self.life.results),
            "ended_by_itself_percent": 100 * self.life.ended_by_itself / environments,
            "cold_ms_p50": percentile([result.latency_ms for result in cold], 50),
            "first_request_ms_p50": percentile([result.duration_ms for result in cold], 50),
            "warm_ms_p50": percentile(warm, 50),
            "warm_ms_p99": percentile(warm, 99),
            "errors_percent": _failed(self.life.results),
            "malformed_uri": self.malformed,
            "unreachable_uri": self.unreachable,
            "thaw_ms_p50": percentile([result.duration_ms for result in self.thawed], 50),
            "thaw_failed_percent": _failed(self.thawed),
        }
        if self.readme is not None:
            found["readme_handler_fails"] = self.readme.function_error is not None
        return found


def result_of(found: Mapping[str, Found], options: RunOptions, mongod: str, freezer: str) -> ExperimentResult:
    """
    Put it together.
    """
    variants = {name: each.metrics(options.environments) for name, each in found.items()}
    ours = variants["warmline"]
    theirs = variants["actvalue-mongo-client"]
    return ExperimentResult(
        experiment=NAME,
        title="Public packages for MongoDB on Lambda",
        question="What do the public Python packages for MongoDB connections on Lambda do, used as their READMEs say?",
        answer=(
            f"An invocation with actvalue.mongo-client creates {theirs['created_per_invocation']:.1f} connections and "
            f"with warmline {ours['created_per_invocation']:.2f}; of mdb-singleton's asynchronous invocations "
            f"{variants['mdb-singleton-async']['errors_percent']:.0f} % fail; after a freeze in which the connections "
            f"died the first request takes {ours['thaw_ms_p50']:,.0f} ms with warmline and "
            f"{variants['mdb-singleton']['thaw_ms_p50']:,.0f} ms with mdb-singleton."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={
            f"created_per_invocation_{name.replace('-', '_')}_to_warmline": variants[name]["created_per_invocation"]
            / ours["created_per_invocation"]
            for name in ("actvalue-mongo-client", "mdb-singleton-async")
        },
        machine=machine(),
        versions={**versions_of(mongod), **{name: versions()[name] for name in PEERS}, "motor": versions()["motor"]},
        parameters={
            "environments": options.environments,
            "start": options.start,
            "freezer": freezer,
            "rounds": ROUNDS,
            "frozen_seconds": FROZEN_SECONDS,
            "timeout_seconds": TIMEOUT_SECONDS,
        },
        connections=(),
        latencies=tuple(
            Latencies(
                name,
                tuple(result.latency_ms for result in each.life.results if result.cold),
                tuple(result.latency_ms for result in each.life.results if not result.cold),
            )
            for name, each in found.items()
        ),
        events={},
        notes=_notes(),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
    )


def _failed(results: Sequence[InvokeResult]) -> float:
    return 100 * sum(result.function_error is not None for result in results) / len(results)


def _notes() -> tuple[str, ...]:
    older = (
        f"actvalue.mongo-client declares Python {'.'.join(map(str, NEEDS_PYTHON))} or later. It was run on "
        f"{platform.python_version()} all the same, which its code does not mind."
    )
    return (
        "Nothing here ran on AWS: real runtime client, real mongod, one machine.",
        "AWS's runtime client for Python calls no coroutine functions: asyncio.run stands around the packages' "
        "asynchronous code. With a loop that lives as long as the environment they would do better, and their READMEs "
        "have none for Lambda.",
        "All use the same PyMongo. mdb-singleton's asynchronous client is Motor, which its makers have given up.",
        "The thaw is measured through a proxy and TLS, all else without.",
        *((older,) if sys.version_info[:2] < NEEDS_PYTHON else ()),
    )
