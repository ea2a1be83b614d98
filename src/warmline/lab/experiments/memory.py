"""
What a function's memory buys: the first answer and warm invocations by the CPU that comes with it, and their price.

The sizes and the two answers, time and cost, are those of AWS Lambda Power Tuning:
https://github.com/alexcasalboni/aws-lambda-power-tuning
"""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..atlas import AtlasCluster, AtlasSpec
from ..aws import FunctionSpec, InvokeResult, LambdaService
from ..errors import EnvironmentStartError
from ..measure import machine, percentile, versions
from .bench import open_atlas
from .cold_start_package import Packages, make_packages
from .experiment import Experiment, OnProgress, RunOptions, Variant
from .result import ExperimentResult, Latencies, Metric

NAME = "memory"

_FUNCTIONS = Path(__file__).with_name("functions") / "memory"

SIZES_MB = (128, 256, 512, 1024, 1769)

_WARM_INVOCATIONS = 6
# Between them an environment is frozen, as between requests, and what it has used up of its share comes back.
_PAUSE_SECONDS = 0.2
_TIMEOUT_SECONDS = 30.0

VARIANTS = (
    Variant("documented", "MongoDB's documented example", "documented"),
    Variant("warmline", "warmline", "with_warmline"),
)


@dataclass(slots=True)
class _Size:
    """
    What the environments of one variant with one size took, in milliseconds.
    """

    init: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)

    def metrics(self, memory_mb: int) -> dict[str, float]:
        """
        Name them by the size.
        """
        cold = [init + first for init, first in zip(self.init, self.first, strict=True)]
        values = {
            "init_ms_p50": percentile(self.init, 50),
            "first_request_ms_p50": percentile(self.first, 50),
            "cold_ms_p50": percentile(cold, 50),
            "warm_ms_p50": percentile(self.warm, 50),
            "cold_gb_seconds": _gb_seconds(cold, memory_mb),
            "warm_gb_seconds": _gb_seconds(self.warm, memory_mb),
        }
        return {f"{name}_{memory_mb}": value for name, value in values.items()}


def _gb_seconds(milliseconds: list[float], memory_mb: int) -> float:
    """
    What a thousand such invocations are billed: each time in whole milliseconds, Init included since August 2025.

    Sources: https://aws.amazon.com/lambda/pricing/ and
    https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
    """
    return sum(map(math.ceil, milliseconds)) / len(milliseconds) * memory_mb / 1024


METRICS = tuple(
    Metric(f"{name}_{size}", label, decimals, f"{size:,} MB")
    for size in SIZES_MB
    for name, label, decimals in (
        ("init_ms_p50", "Init, with a full CPU, median (ms)", 0),
        ("first_request_ms_p50", "first request after it, median (ms)", 1),
        ("cold_ms_p50", "both, median (ms)", 0),
        ("warm_ms_p50", "warm invocation, median (ms)", 1),
        ("cold_gb_seconds", "1,000 cold starts (GB-seconds)", 0),
        ("warm_gb_seconds", "1,000 warm invocations (GB-seconds)", 2),
    )
)


@dataclass(frozen=True, slots=True)
class _Lab:
    cluster: AtlasCluster
    service: LambdaService
    packages: Packages

    def deploy(self, name: str, variant: Variant, memory_mb: int) -> None:
        ours = variant.name == "warmline"
        # Without the lab's own authority in it: whom to trust is part of what a client computes.
        before, _, query = self.cluster.uri(auth="scram").partition("?")
        options = "&".join(option for option in query.split("&") if not option.startswith("tlsCAFile"))
        environ = {"MONGODB_URI": f"{before}?{options}"}
        if not ours:
            environ["SSL_CERT_FILE"] = str(self.packages.system_roots)
        self.service.deploy(
            FunctionSpec(
                name,
                self.packages.warmline if ours else self.packages.documented,
                f"{variant.handler}.lambda_handler",
                self.cluster.environ(environ),
                memory_mb,
                _TIMEOUT_SECONDS,
                # What is imported is part of it.
                start="exec",
                cpu="by-memory",
            )
        )


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Start environments one after the other, sizes and variants in turn, so that each has the machine to itself.

    :raises CpuLimitUnavailable: this process may not limit a CPU.
    """
    sizes = {variant.name: {size: _Size() for size in SIZES_MB} for variant in VARIANTS}
    opening = open_atlas(options, AtlasSpec(auth="scram"), lambda step: on_progress(step, 0.0))
    async with opening as (workspace, cluster):
        certificates = cluster.servers.certificates
        assert certificates is not None  # noqa: S101  the cluster has TLS
        packages = make_packages(workspace.directory, certificates.ca)
        for package in (packages.documented, packages.warmline):
            shutil.copytree(_FUNCTIONS, package, dirs_exist_ok=True)
        async with LambdaService(workspace) as service:
            lab = _Lab(cluster, service, packages)
            # One of each gets files into memory, and Python's compiled ones are made where they are missing.
            for variant in VARIANTS:
                await _measure(lab, f"{NAME}-{variant.name}", variant, SIZES_MB[-1], _Size())
            for turn in range(options.environments):
                for number, size in enumerate(SIZES_MB):
                    done = (turn + number / len(SIZES_MB)) / options.environments
                    on_progress(f"{size:,} MB: environment {turn + 1}", 0.05 + 0.95 * done)
                    for variant in VARIANTS:
                        name = f"{NAME}-{variant.name}-{size}-{turn}"
                        await _measure(lab, name, variant, size, sizes[variant.name][size])
        return _result(options, cluster.servers.mongod_version, sizes, packages.roots)


async def _measure(lab: _Lab, name: str, variant: Variant, memory_mb: int, into: _Size) -> None:
    lab.deploy(name, variant, memory_mb)
    began = time.perf_counter()
    await lab.service.prepare(name, 1)
    init_ms = (time.perf_counter() - began) * 1000
    results: list[InvokeResult] = []
    for _ in range(1 + _WARM_INVOCATIONS):
        await asyncio.sleep(_PAUSE_SECONDS)
        results.append(await lab.service.invoke(name, json.dumps({"id": 1}).encode()))
        await lab.service.settled()
    await lab.service.end(name, how="kill")
    for result in results:
        if result.function_error:
            raise EnvironmentStartError(f"an invocation of {name} failed: {result.payload.decode()}")
    into.init.append(init_ms)
    into.first.append(results[0].duration_ms)
    into.warm += [result.duration_ms for result in results[1:]]


def _result(options: RunOptions, mongod: str, sizes: Mapping[str, Mapping[int, _Size]], roots: int) -> ExperimentResult:
    variants = {
        name: {
            metric: value for size, measured in of_variant.items() for metric, value in measured.metrics(size).items()
        }
        for name, of_variant in sizes.items()
    }
    documented, ours = variants["documented"], variants["warmline"]
    least, most = SIZES_MB[0], SIZES_MB[-1]
    cheapest = [min(SIZES_MB, key=lambda size: each[f"warm_gb_seconds_{size}"]) for each in (documented, ours)]
    return ExperimentResult(
        experiment=NAME,
        title="What memory buys",
        question="What do the first request and those that follow take with the CPU of each memory size, and cost?",
        answer=(
            f"With {least} MB the first request takes {documented[f'first_request_ms_p50_{least}']:,.0f} ms with "
            f"MongoDB's example and {ours[f'first_request_ms_p50_{least}']:,.0f} ms with warmline, which has connected "
            f"in Init; with {most:,} MB {documented[f'first_request_ms_p50_{most}']:,.0f} and "
            f"{ours[f'first_request_ms_p50_{most}']:,.0f} ms. A warm invocation costs least with "
            f"{' and '.join(f'{size:,}' for size in dict.fromkeys(cheapest))} MB."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={
            **{
                f"first_request_{size}_mb_documented_to_warmline": documented[f"first_request_ms_p50_{size}"]
                / ours[f"first_request_ms_p50_{size}"]
                for size in SIZES_MB
            },
            **{
                f"{what}_{name}_{least}_to_{most}_mb": metrics[f"{metric}_{least}"] / metrics[f"{metric}_{most}"]
                for what, metric in (
                    ("first_request", "first_request_ms_p50"),
                    ("warm", "warm_ms_p50"),
                    ("warm_cost", "warm_gb_seconds"),
                )
                for name, metrics in variants.items()
            },
        },
        machine=machine(),
        versions=versions(mongod),
        parameters={
            "environments": options.environments,
            "start": "exec",
            "warm_invocations": _WARM_INVOCATIONS,
            "mb_of_a_cpu": 1769,
            "system_roots": roots,
        },
        connections=(),
        latencies=tuple(
            Latencies(
                name,
                tuple(each for measured in of_variant.values() for each in measured.first),
                tuple(each for measured in of_variant.values() for each in measured.warm),
            )
            for name, of_variant in sizes.items()
        ),
        events={},
        notes=(
            "Nothing here ran on AWS, and the network is this machine's: a round trip takes next to no time.",
            "Lambda gives a full CPU in Init, which AWS does not document; here Init has all that the machine gives.",
            "The share is the kernel's: so much of each period of 20 ms. A handler that needs less than its share of "
            "one period is as quick as with a full CPU.",
            "The handler looks one document up. One that computes gains more from memory.",
            "GB-seconds are times from this machine by Lambda's rule, whole milliseconds with Init; only their ratios "
            "mean something. Memory beyond 1,769 MB buys a second CPU, which one request does not use.",
        ),
        command=f"warmline lab run {NAME} --environments {options.environments}",
    )


EXPERIMENT = Experiment(
    NAME, "the first request and warm ones with the CPU of 128 to 1,769 MB, and their cost", run, environments=5
)
