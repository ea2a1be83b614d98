"""
Logging in with a password, and with the function's IAM role: what a connection costs, and what a thief can do.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...atlas import AtlasSpec
from ...aws.function import ACCOUNT
from ...measure import machine, versions
from ..bench import AtlasBench, open_atlas_bench
from ..experiment import Experiment, OnProgress, RunOptions
from ..result import ExperimentResult, Latencies, Metric
from .logins import LOGINS, NAME, ROLE, Lab
from .measure import STS_PER_SECOND, Connections, changed, connections, stolen

__all__ = ["EXPERIMENT", "run"]

_WORDS = ("refused", "works", "failed")
_THIEF = "What a thief connects with, from another address"
_CHANGE = "New connections after the password was changed, or the session has ended"

METRICS = (
    Metric("connection_ms_p50", "an operation with a new connection, median (ms)", 1),
    Metric("cold_ms_p50", "cold start with eleven of them, Init included, median (ms)"),
    Metric("memory_mib_per_environment", "memory per environment (MiB, PSS)", 1),
    Metric("sdk", "AWS's SDK is loaded", 0, words=("no", "yes")),
    Metric("connections", "connections of an environment, all nodes", 2),
    Metric("logins", "logins of an environment, all nodes", 2),
    Metric("sts_environments", f"environments a second by STS's limit of {STS_PER_SECOND} logins"),
    Metric("stolen_string", "the connection string", 0, _THIEF, _WORDS),
    Metric("stolen_environment", "all of the function's variables", 0, _THIEF, _WORDS),
    Metric("stolen_later", "the same after the session's end", 0, _THIEF, _WORDS),
    Metric("same_environment", "the same environment", 0, _CHANGE, _WORDS),
    Metric("same_environment_endpoint", "the same with keys from an endpoint (SnapStart)", 0, _CHANGE, _WORDS),
    Metric("new_environment", "a new environment, not deployed again", 0, _CHANGE, _WORDS),
    Metric("errors", "failed operations without a thief or a change"),
)


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Measure each login's connections, steal its credentials, and let them change.
    """
    on_progress("starting the cluster", 0.0)
    opening = open_atlas_bench(options, AtlasSpec(auth="iam"), lambda step: on_progress(step, 0.02))
    async with opening as bench:
        bench.cluster.allow(f"arn:aws:iam::{ACCOUNT}:role/{ROLE}")
        lab = Lab(bench, options)
        measured, variants = {}, {}
        for number, login in enumerate(LOGINS):
            name = login.variant.name
            on_progress(f"{login.variant.label}: connections", 0.1 + 0.7 * number / len(LOGINS))
            measured[name] = await connections(lab, login)
            variants[name] = measured[name].metrics
            if login.auth == "iam":
                variants[name]["sts_environments"] = STS_PER_SECOND / measured[name].logged_in
            variants[name] |= await stolen(lab, login)
        # Last of all, since the password is everybody's.
        for login in LOGINS:
            on_progress(f"{login.variant.label}: credentials change", 0.85)
            found, failed = await changed(lab, login)
            variants[login.variant.name] |= found
            variants[login.variant.name]["errors"] += failed
        return _result(bench, options, variants, measured)


def _result(
    bench: AtlasBench,
    options: RunOptions,
    variants: Mapping[str, Mapping[str, float]],
    measured: Mapping[str, Connections],
) -> ExperimentResult:
    password, documented, ours = (variants[login.variant.name] for login in LOGINS)
    return ExperimentResult(
        experiment=NAME,
        title="A password, or the function's role",
        question="What does a login cost, and how long does a stolen one work?",
        answer=(
            f"With a copied connection string a login {_word(password, 'stolen_string')} if it holds a password and is "
            f"{_word(ours, 'stolen_string')} if it names a role; after the session's end it is "
            f"{_word(ours, 'stolen_later')} with the role's keys too. A new connection took "
            f"{documented['connection_ms_p50']:.0f} ms with the role and AWS's SDK, and "
            f"{ours['connection_ms_p50']:.0f} ms with warmline."
        ),
        metrics=METRICS,
        variants=variants,
        variant_labels={login.variant.name: login.variant.label for login in LOGINS},
        ratios={
            f"{metric}_documented_to_warmline": documented[metric] / ours[metric]
            for metric in ("connection_ms_p50", "cold_ms_p50", "memory_mib_per_environment")
        },
        machine=machine(),
        versions=versions(bench.cluster.servers.mongod_version),
        parameters={
            "environments": options.environments,
            "start": options.start,
            "names": bench.cluster.resolver.name,
            "sts_per_second": STS_PER_SECOND,
        },
        connections=(),
        latencies=tuple(
            Latencies(
                name,
                tuple(result.latency_ms for result in one.results),
                tuple(ms for each in one.answers for ms in each.milliseconds[1:]),
            )
            for name, one in measured.items()
        ),
        events={},
        notes=(
            "Nothing here ran on AWS: real runtime client, real mongod, one machine. The server's half of MONGODB-AWS "
            "is the lab's, which verifies the signature itself: Atlas asks STS for each login, and that takes longer.",
            "Each node's front logs in to the server on the caller's behalf, so a role's login here is a password's "
            "as well; the two roles compare with each other, less so with the password.",
            "X.509 certificates are left out: the lab's front does not ask clients for theirs.",
            "Neither kind of login is bound to an address: that is what an access list is for.",
        ),
        command=f"warmline lab run {NAME} --environments {options.environments} --start {options.start}",
    )


def _word(metrics: Mapping[str, float], name: str) -> str:
    return _WORDS[int(metrics[name])]


EXPERIMENT = Experiment(NAME, "a password or the function's role: cost, theft, change", run, environments=10)
