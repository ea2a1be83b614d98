"""
From the import of the handler to its first answer: MongoDB's examples for Lambda, and warmline step by step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from warmline.runtime.pin import VARIABLE as PIN_VARIABLE
from warmline.runtime.pin import Pin

from ..atlas import AtlasCluster, AtlasSpec, start_atlas
from ..aws import FunctionSpec, LambdaService
from ..aws.cpu import cpu_share, limited_group
from ..aws.function import ACCOUNT, REGION
from ..aws.runtime_api import RuntimeAPI
from ..errors import EnvironmentStartError
from ..iam import environment
from ..measure import machine, percentile, versions
from ..measure.first_operation import FirstOperation, first_operation
from ..names.zone import REPLICA_SET_OPTIONS
from ..workspace import Workspace
from .bench import deploy
from .cold_start_package import Packages, make_packages
from .experiment import Experiment, OnProgress, RunOptions
from .result import ExperimentResult, Latencies, Metric, Waits

NAME = "cold-start"

MEMORY_MB = 512
_ROLE = "orders"

# A handler that looks a document up.
_REQUESTS = Path(__file__).with_name("functions") / "reuse_client"
_WARM_INVOCATIONS = 5
# Between them an environment is frozen, as between requests, and the CPU does something else.
_PAUSE_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class _Variant:
    """
    One way to start; ``few_roots`` and ``pinned`` are warmline's steps.
    """

    name: str
    label: str
    module: str
    few_roots: bool = False
    pinned: bool = False


def _variants(login: str) -> tuple[_Variant, ...]:
    shown = login.upper()
    first = "its own signer" if login == "iam" else "nothing else"
    return (
        _Variant(f"documented-{login}", f"MongoDB's {shown} example", f"documented_{login}"),
        _Variant(f"warmline-{login}-alone", f"warmline, {shown}, {first}", "with_warmline"),
        _Variant(f"warmline-{login}-roots", f"{shown}, and few roots", "with_warmline", few_roots=True),
        _Variant(f"warmline-{login}", f"{shown}, and a pin", "with_warmline", few_roots=True, pinned=True),
    )


VARIANTS = {login: _variants(login) for login in ("iam", "scram")}

METRICS = (
    Metric("first_operation_ms_p50_full_cpu", "first operation, a full CPU, median (ms)", 0),
    Metric("first_operation_ms_p50_512mb", f"first operation, the CPU of {MEMORY_MB} MB, median (ms)", 0),
    Metric("first_operation_cpu_ms_p50", "of it CPU, median (ms)", 0),
    Metric("first_request_ms_p50", "first request after Init, median (ms)", 2),
    Metric("warm_request_ms_p50", "warm request, median (ms)", 2),
)


@dataclass(slots=True)
class _Runs:
    """
    What one variant's processes took.
    """

    full: list[FirstOperation] = field(default_factory=list)
    limited: list[FirstOperation] = field(default_factory=list)

    def add(self, measured: tuple[FirstOperation, FirstOperation | None]) -> None:
        """
        Take in one process with a full CPU, and one with a share of it.
        """
        full, limited = measured
        self.full.append(full)
        if limited is not None:
            self.limited.append(limited)

    def metrics(self) -> dict[str, float]:
        """
        The medians.
        """
        full, limited, _ = (metric.name for metric in METRICS[:3])
        found = {
            full: percentile([each.wall_ms for each in self.full], 50),
            METRICS[2].name: percentile([each.cpu_ms for each in self.full], 50),
        }
        if self.limited:
            found[limited] = percentile([each.wall_ms for each in self.limited], 50)
        return found


@dataclass(frozen=True, slots=True)
class _Requests:
    """
    Milliseconds of the handler, in environments with the real runtime client.
    """

    first: tuple[float, ...]
    warm: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Lab:
    """
    A running cluster, and what is needed to start a process against it.
    """

    workspace: Workspace
    cluster: AtlasCluster
    packages: Packages
    login: str
    limited: Path | None

    async def start(self, variant: _Variant, group: Path | None = None) -> FirstOperation:
        """
        Start one process of a variant.
        """
        package = self.packages.warmline if variant.module == "with_warmline" else self.packages.documented
        environ = self.cluster.environ(self._environ(variant, package))
        api = RuntimeAPI(FunctionSpec(NAME, package))
        try:
            return await first_operation(
                package,
                variant.module,
                runtime=self.packages.runtime,
                environ={**environ, "AWS_LAMBDA_RUNTIME_API": await api.open()},
                resolver=self.cluster.resolver,
                group=group,
            )
        finally:
            await api.close()

    def _environ(self, variant: _Variant, package: Path) -> Mapping[str, str]:
        # Without the lab's tlsCAFile: whom to trust is what is compared.
        before, _, query = self.cluster.uri(auth=self.login).partition("?")
        kept = [option for option in query.split("&") if not option.startswith("tlsCAFile")]
        if variant.module == "documented_iam":
            # The example names them in its code.
            kept = []
        environ = {
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_NAME": NAME,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_REGION": REGION,
            "LAMBDA_TASK_ROOT": str(package),
            "LANG": "en_US.UTF-8",
            "MONGODB_URI": f"{before}?{'&'.join(kept)}" if kept else before,
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            **self.workspace.environ(),
        }
        if self.login == "iam":
            environ |= environment(self.cluster.identities.assume_role(_ROLE))
        if not variant.few_roots:
            environ["SSL_CERT_FILE"] = str(self.packages.system_roots)
        if variant.pinned:
            environ[PIN_VARIABLE] = self._pin()
        return environ

    def _pin(self) -> str:
        """
        What `warmline pin` writes for this cluster.
        """
        ((name, servers),) = self.cluster.names.behaviour.zone.srv.items()
        return Pin(
            name.removeprefix("_mongodb._tcp."),
            tuple(f"{host}:{port}" for host, port in servers),
            dict(option.split("=") for option in REPLICA_SET_OPTIONS.split("&")),
            datetime.now(UTC).date().isoformat(),
        ).text()


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Start a process of each variant in turn, so many times: first with IAM, through the front, then with SCRAM.
    """
    runs: dict[str, _Runs] = {}
    for number, (login, variants) in enumerate(VARIANTS.items()):
        begin = number / len(VARIANTS)
        with Workspace() as workspace, ExitStack() as stack:
            on_progress("starting the cluster", begin)
            starting = start_atlas(workspace, AtlasSpec(auth="iam" if login == "iam" else "scram"), options.mongod)
            cluster = await asyncio.to_thread(stack.enter_context, starting)
            if login == "iam":
                cluster.allow(f"arn:aws:iam::{ACCOUNT}:role/{_ROLE}")
            lab = _Lab(workspace, cluster, _packages(cluster, workspace), login, _limited(workspace))
            for turn in range(-1, options.environments):
                on_progress(
                    f"{login.upper()}: process {max(turn, 0) + 1}", begin + 0.05 + 0.4 * turn / options.environments
                )
                for variant in variants:
                    measured = await _both(lab, variant)
                    # The first turn gets files into memory, and Python's compiled ones are made where they are missing.
                    if turn >= 0:
                        runs.setdefault(variant.name, _Runs()).add(measured)
            if login == "scram":
                on_progress("first and warm requests", 0.96)
                requests = await _requests(lab, options)
    return _result(lab, options, runs, requests)


async def _both(lab: _Lab, variant: _Variant) -> tuple[FirstOperation, FirstOperation | None]:
    """
    Start one with a full CPU, and one with a share of it where that can be had.
    """
    full = await lab.start(variant)
    return full, await lab.start(variant, lab.limited) if lab.limited else None


def _packages(cluster: AtlasCluster, workspace: Workspace) -> Packages:
    certificates = cluster.servers.certificates
    assert certificates is not None, "the cluster has TLS"  # noqa: S101
    return make_packages(workspace.directory, certificates.ca)


def _limited(workspace: Workspace) -> Path | None:
    return limited_group(workspace, cpu_share(MEMORY_MB))


async def _requests(lab: _Lab, options: RunOptions) -> _Requests:
    """
    Invoke environments with the real runtime client: what the first request after Init takes, and those that follow.
    """
    first, warm = [], []
    async with LambdaService(lab.workspace) as service:
        for number in range(options.environments):
            name = f"{NAME}-{number}"
            deploy(service, lab.cluster, FunctionSpec(name, _REQUESTS, "with_warmline.lambda_handler"), options)
            results = []
            for _ in range(1 + _WARM_INVOCATIONS):
                results.append(await service.invoke(name, b'{"id": 1}'))
                await service.settled()
                await asyncio.sleep(_PAUSE_SECONDS)
            failed = next((result for result in results if result.function_error), None)
            if failed is not None:
                raise EnvironmentStartError(f"an invocation of {name} failed: {failed.payload.decode()}")
            first.append(results[0].duration_ms)
            warm += [result.duration_ms for result in results[1:]]
            await service.end(name, how="kill")
    return _Requests(tuple(first), tuple(warm))


def _result(lab: _Lab, options: RunOptions, runs: Mapping[str, _Runs], requests: _Requests) -> ExperimentResult:
    variants = {name: run.metrics() for name, run in runs.items()}
    variants["warmline-scram"] |= {
        "first_request_ms_p50": percentile(requests.first, 50),
        "warm_request_ms_p50": percentile(requests.warm, 50),
    }
    ratios = {}
    for login in VARIANTS:
        for where, metric in (("full_cpu", METRICS[0]), ("512mb", METRICS[1])):
            ours, documented = variants[f"warmline-{login}"], variants[f"documented-{login}"]
            if metric.name in ours:
                ratios[f"{login}_{where}"] = ours[metric.name] / documented[metric.name]
    ratios["first_request_to_warm"] = (
        variants["warmline-scram"]["first_request_ms_p50"] / variants["warmline-scram"]["warm_request_ms_p50"]
    )
    return ExperimentResult(
        experiment=NAME,
        title="A cold start, from the import to the first answer",
        question="How long does a function take to its first answer with MongoDB's examples, and with warmline?",
        answer=(
            f"With an IAM role warmline takes {ratios['iam_full_cpu']:.0%} of the time of MongoDB's example, and with "
            f"a password {ratios['scram_full_cpu']:.0%}."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={variant.name: variant.label for each in VARIANTS.values() for variant in each},
        ratios=ratios,
        machine=machine(),
        versions=versions(lab.cluster.servers.mongod_version),
        parameters={
            "environments": options.environments,
            "start": options.start,
            "cpu_limit": "cgroup" if lab.limited else "none",
            "cpu_share": round(cpu_share(MEMORY_MB), 3),
            "system_roots": lab.packages.roots,
            "names": lab.cluster.resolver.name,
        },
        connections=(),
        latencies=tuple(Latencies(name, tuple(each.wall_ms for each in run.full), ()) for name, run in runs.items()),
        waits=Waits("From import to answer", "A fresh process that imports the handler and does one operation."),
        events={},
        notes=_notes(lab),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
    )


def _notes(lab: _Lab) -> tuple[str, ...]:
    unlimited = (
        "This process may not make a cgroup with a CPU limit, so there is no figure for a smaller function: it takes "
        "root, or a delegated cgroup with the cpu controller."
    )
    return (
        "Nothing here ran on AWS, and the network is this machine's: a round trip takes next to no time. A real one "
        "adds to all variants, most to those that ask for DNS records.",
        "Each figure is a fresh interpreter's that finds the function's package, compiled, the real runtime client, "
        "and nothing else. It begins where the runtime client would import the handler; the interpreter's own start "
        "and the runtime client's are left out.",
        f"MongoDB's examples read {lab.packages.roots} root certificates: the system's and the lab's authority. In "
        "warmline's package the lab's authority is added to the roots of Atlas, and the lab's domain stands for "
        "Atlas's; nothing else of warmline is changed.",
        "With IAM all variants go through the lab's front, a proxy on the same cores; with SCRAM they do not.",
        "First and warm requests are the runtime client's, with Init over before the first.",
        *(() if lab.limited else (unlimited,)),
    )


EXPERIMENT = Experiment(NAME, "MongoDB's examples and warmline, from import to first answer", run)
