"""
A function that Atlas does not let in: what its caller learns, and when.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..atlas import AtlasCluster, AtlasSpec
from ..atlas.cluster import ADDRESS, CLUSTER_NAME
from ..atlas.front import AccessList, Network
from ..aws import FunctionSpec, InvokeResult
from ..aws.versions import Function
from ..measure import machine, percentile, versions
from ..names.zone import REPLICA_SET_OPTIONS, Member, cluster_zone
from .bench import AtlasBench, invoke_all, open_atlas_bench
from .experiment import Experiment, OnProgress, RunOptions, Variant
from .result import ExperimentResult, Latencies, Metric

NAME = "access-list"

_FUNCTIONS = Path(__file__).with_name("functions") / "access_list"

# As Atlas names a private endpoint's clusters and hosts.
# Source: https://www.mongodb.com/docs/atlas/security-private-endpoint/
_ENDPOINT_CLUSTER = f"{CLUSTER_NAME}-pl-0"
_ENDPOINT_HOST = "pl-0-us-east-1.lab.mongodb.test"

# Lambda's default, and what people try when they read "Task timed out".
_TIMEOUT_SECONDS = 3.0
_PATIENT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Case:
    """
    Why a function is not let in: where its connections come from, which cluster's name it has, and the words by which
    an error names the reason.
    """

    name: str
    label: str
    egress: str
    cluster: str
    reason: str


NOT_LISTED = _Case("not_listed", "an address that is not on the list", "127.61.0.1", CLUSTER_NAME, "access list")
OUTSIDE = _Case(
    "outside", "a private endpoint's host, from outside its VPC", "127.62.0.1", _ENDPOINT_CLUSTER, "private endpoint"
)
CASES = (NOT_LISTED, OUTSIDE)

# All but the first case's address.
_LIST = AccessList(("127.0.0.0/16", f"{OUTSIDE.egress}/32"))
_CORRECTED = AccessList((*_LIST.entries, f"{NOT_LISTED.egress}/32"))


@dataclass(frozen=True, slots=True)
class _Denied(Variant):
    """
    One function with its timeout.
    """

    timeout_seconds: float = _TIMEOUT_SECONDS


VARIANTS = (
    _Denied("documented", "MongoDB's documented example", "documented"),
    _Denied("patient", "the example with a timeout of 60 s", "documented", timeout_seconds=_PATIENT_SECONDS),
    _Denied("warmline", "warmline", "with_warmline"),
)

METRICS = (
    *(
        Metric(f"{name}_{case.name}", label, decimals, case.label[0].upper() + case.label[1:])
        for case in CASES
        for name, label, decimals in (
            ("reason_told", "callers whose error names the reason", 0),
            ("reason_unnamed", "callers whose error does not", 0),
            ("task_timed_out", "callers that get 'Task timed out'", 0),
            ("seconds_p50", "until the caller has it, median (s)", 1),
            ("init_tells", "environments whose log tells it in Init", 0),
        )
    ),
    Metric("served_once_listed", "callers served once the address is on the list", 0, "Afterwards"),
    Metric("environments_reset", "environments reset until then", 0, "Afterwards"),
)


@dataclass(frozen=True, slots=True)
class _Run:
    """
    A variant's answers, by the case, how many environments' logs tell the reason in Init, and the answers to the
    callers that came once the address was on the list.
    """

    denied: Mapping[str, tuple[InvokeResult, ...]]
    told_in_init: Mapping[str, int]
    listed: tuple[InvokeResult, ...]


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Invoke environments that are not let in; then put their address on the list, and invoke them again.
    """
    on_progress("starting the cluster", 0.0)
    spec = AtlasSpec(access_list=_LIST)
    # Nearly all of their time they wait.
    runnable = len(CASES) * options.environments
    async with open_atlas_bench(options, spec, lambda step: on_progress(step, 0.02), runnable=runnable) as bench:
        _publish_endpoint(bench.cluster)
        # From outside its VPC nothing answers at a private endpoint's address.
        bench.cluster.lay(Network(black_hole="all"), source=OUTSIDE.egress)
        runs = {}
        for number, variant in enumerate(VARIANTS):
            on_progress(f"{variant.label}: not let in", 0.1 + 0.9 * number / len(VARIANTS))
            runs[variant.name] = await _run_variant(variant, bench, options)
        return _result(bench, options, runs)


def _publish_endpoint(cluster: AtlasCluster) -> None:
    """
    Have the DNS server know the private endpoint's names, too: one host, with a port for each member.
    """
    assert cluster.front is not None, "an access list is a front's"  # noqa: S101
    members = [Member(_ENDPOINT_HOST, face.port, ADDRESS) for face in cluster.front.faces]
    endpoint = cluster_zone(cluster=_ENDPOINT_CLUSTER, members=members, txt=REPLICA_SET_OPTIONS)
    behaviour = cluster.names.behaviour
    zone = replace(
        behaviour.zone,
        srv={**behaviour.zone.srv, **endpoint.srv},
        txt={**behaviour.zone.txt, **endpoint.txt},
        addresses={**behaviour.zone.addresses, **endpoint.addresses},
    )
    cluster.names.behaviour = replace(behaviour, zone=zone)


async def _run_variant(variant: _Denied, bench: AtlasBench, options: RunOptions) -> _Run:
    assert bench.cluster.front is not None, "an access list is a front's"  # noqa: S101
    events = [{"id": number} for number in range(options.environments)]
    names = {case.name: _deploy(variant, case, bench, options) for case in CASES}
    denied = await asyncio.gather(*(invoke_all(bench.service, name, events) for name in names.values()))
    told_in_init = {case.name: _told_in_init(case, bench.service.function(names[case.name])) for case in CASES}
    bench.cluster.front.allow(_CORRECTED)
    listed = await invoke_all(bench.service, names[NOT_LISTED.name], events)
    bench.cluster.front.allow(_LIST)
    for name in names.values():
        await bench.service.end(name, how="kill")
    answers = {case: tuple(results) for case, results in zip(names, denied, strict=True)}
    return _Run(answers, told_in_init, tuple(listed))


def _deploy(variant: _Denied, case: _Case, bench: AtlasBench, options: RunOptions) -> str:
    name = f"{NAME}-{variant.name}-{case.name.replace('_', '-')}"
    in_uri = "&".join(filter(None, [f"appName={name}", variant.options]))
    uri = bench.cluster.uri(options=in_uri).replace(f"{CLUSTER_NAME}.", f"{case.cluster}.")
    bench.service.deploy(
        FunctionSpec(
            name,
            _FUNCTIONS,
            f"{variant.handler}.lambda_handler",
            bench.cluster.environ({"MONGODB_URI": uri}, egress=case.egress),
            timeout_seconds=variant.timeout_seconds,
            start=options.start,
        )
    )
    return name


def _metrics(run: _Run) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for case in CASES:
        results = run.denied[case.name]
        errors = [_error(result) for result in results]
        timed_out = sum(error.get("errorType") == "Sandbox.Timedout" for error in errors)
        told = sum(_names(case, str(error.get("errorMessage"))) for error in errors)
        metrics |= {
            f"reason_told_{case.name}": told,
            f"reason_unnamed_{case.name}": sum(map(bool, errors)) - told - timed_out,
            f"task_timed_out_{case.name}": timed_out,
            f"seconds_p50_{case.name}": percentile([result.duration_ms / 1000 for result in results], 50),
            f"init_tells_{case.name}": run.told_in_init[case.name],
        }
    return {
        **metrics,
        "served_once_listed": sum(result.function_error is None for result in run.listed),
        "environments_reset": sum(result.reset for result in run.denied[NOT_LISTED.name]),
    }


def _error(result: InvokeResult) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(result.payload) if result.function_error else {}
    return error


def _names(case: _Case, text: str) -> bool:
    return re.search(case.reason, text, re.IGNORECASE) is not None


def _told_in_init(case: _Case, function: Function) -> int:
    # All of the log: AWS's tail has only the end of a long error.
    logs = (environment.log.read_text(errors="replace").splitlines() for environment in function.environments)
    return sum(any("could not connect during Init" in line and _names(case, line) for line in log) for log in logs)


def _result(bench: AtlasBench, options: RunOptions, runs: Mapping[str, _Run]) -> ExperimentResult:
    variants = {name: _metrics(run) for name, run in runs.items()}
    callers = len(CASES) * options.environments

    def told(variant: str) -> int:
        return int(sum(variants[variant][f"reason_told_{case.name}"] for case in CASES))

    return ExperimentResult(
        experiment=NAME,
        title="A function that is not let in",
        question="What does a caller learn when Atlas does not let the function in, and when?",
        answer=(
            f"Of {callers} callers {told('warmline')} were told the reason with warmline, {told('documented')} with "
            f"MongoDB's example, and {told('patient')} with a timeout of {_PATIENT_SECONDS:.0f} s, after "
            f"{variants['patient']['seconds_p50_not_listed']:.0f} s."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={variant.name: variant.label for variant in VARIANTS},
        ratios={},
        machine=machine(),
        versions=versions(bench.cluster.servers.mongod_version),
        parameters={
            "environments": options.environments,
            "start": options.start,
            **{f"timeout_seconds_{variant.name}": variant.timeout_seconds for variant in VARIANTS},
        },
        connections=(),
        latencies=tuple(
            Latencies(
                name,
                tuple(result.latency_ms for results in run.denied.values() for result in results),
                tuple(result.latency_ms for result in run.listed),
            )
            for name, run in runs.items()
        ),
        events={},
        notes=tuple(_notes(runs)),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
    )


def _notes(runs: Mapping[str, _Run]) -> Iterable[str]:
    yield "Nothing here ran on AWS or Atlas: real runtime client, real mongod, one machine, and a front with a list."
    yield (
        "Who is not listed gets the TLS alert that Atlas's users report. The kernel answers a SYN to the private "
        "endpoint, so there the handshake hangs; on AWS the SYN does. The driver's limits and errors are the same."
    )
    for variant in VARIANTS:
        for case in CASES:
            error = _error(runs[variant.name].denied[case.name][0])
            if error.get("errorType") != "Sandbox.Timedout":
                yield f"{variant.label}, {case.label}: {_shortened(str(error.get('errorMessage')))}"


def _shortened(message: str) -> str:
    """
    Leave out a long error's middle, where it tells of each server and timeout again.
    """
    first = re.split(r" \(configured timeouts: |, Timeout: ", message)[0]
    _, step, advice = message.partition("Next step: ")
    return f"{first} … {step}{advice}".rstrip()


EXPERIMENT = Experiment(NAME, "a function that Atlas does not let in: what its caller learns", run, environments=5)
