"""
What a run says in words: its answer, what it was run with, and what it can't show.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..experiments.bench import AtlasBench
from .calls import LATE_MS
from .runs import Run
from .servers import Servers
from .spec import Scenario

# Beyond this the callers' times tell of the machine and not of the function.
_CORE_WAIT_MS = 100.0


def answer(name: str, metrics: Mapping[str, float], cluster: Servers) -> str:
    """
    One sentence: is its client reused, are its connections few, and does it leave any behind?
    """
    invocations, environments = metrics["invocations"], metrics["environments"]
    answered = invocations - metrics["failed_invocations"] - metrics["throttled_invocations"]
    some = "all" if answered == invocations else f"{answered:,.0f} of"
    served = f"{name} answered {some} {invocations:,.0f} invocations"
    if metrics["throttled_invocations"]:
        served += f" ({metrics['throttled_invocations']:,.0f} were throttled at its concurrency)"
    if not metrics["connections_created"]:
        return f"{served} and opened no connection to the cluster."
    peak = f"at most {metrics['peak_connections']:,.0f} connections on the {cluster.main}"
    if cluster.limit:
        peak += f", {metrics['peak_percent_of_limit']:.1f} % of what {cluster.spec.tier} takes"
    return (
        f"{served}, {_reuse(metrics)}, held {peak} ({metrics['connections_per_environment']:.1f} for each of "
        f"{environments:,.0f} environments at rest), and {_end(metrics)}."
    )


def _reuse(metrics: Mapping[str, float]) -> str:
    """
    Whether the client is kept from one invocation to the next, if there were invocations enough to tell.
    """
    opened = f"{metrics['connects_per_invocation']:.2f} connections created for each"
    warm = metrics["invocations"] - metrics["throttled_invocations"] - metrics["cold_starts"]
    if warm < metrics["cold_starts"]:
        return f"with {opened}"
    gone = metrics["connections_created"] - metrics["connections_at_rest"]
    return f"{'did not reuse' if gone >= warm / 2 else 'reused'} its client ({opened})"


def _end(metrics: Mapping[str, float]) -> str:
    if not metrics["connections_at_rest"]:
        return "had none open when its environments ended"
    if not metrics["environments_killed"]:
        return "gave them back when its environments ended"
    return (
        f"left them open in {metrics['environments_killed']:,.0f} of {metrics['environments']:,.0f} environments that "
        "ended"
    )


def parameters(scenario: Scenario, bench: AtlasBench) -> dict[str, str | int | float]:
    """
    What it was run with.
    """
    spec = scenario.cluster
    of_functions: dict[str, str | int | float] = {}
    for function in scenario.functions:
        prefix = f"{function.name}_" if len(scenario.functions) > 1 else ""
        limit = function.spec.reserved_concurrency
        of_functions |= {
            f"{prefix}handler": function.spec.handler,
            f"{prefix}load": " + ".join(load.text for load in function.loads),
            f"{prefix}concurrency": "unlimited" if limit is None else limit,
            f"{prefix}memory_mb": function.spec.memory_mb,
            f"{prefix}timeout_seconds": function.spec.timeout_seconds,
            f"{prefix}start": function.spec.start,
        }
    return {
        **of_functions,
        "cluster": spec.kind,
        "members": spec.members,
        "auth": spec.auth,
        "tls": "on" if spec.tls else "off",
        **({"tier": spec.tier} if spec.tier else {}),
        "freezer": bench.service.freezer.name,
    }


def notes(
    scenario: Scenario, bench: AtlasBench, run: Run, variants: Mapping[str, Mapping[str, float]]
) -> tuple[str, ...]:
    """
    What to know before one believes the figures.
    """
    told = ["Nothing here ran on AWS: real runtime client, real mongod, one machine."]
    told += run.failed_events
    told += [f"{function.name}: {note}." for function in scenario.functions for note in function.notes]
    if any(function.spec.start == "zygote" for function in scenario.functions):
        told.append(
            "The environments are forks of a process that has imported PyMongo, so cold starts here leave out the "
            "interpreter's start and that import; --start exec has them in."
        )
    for name, metrics in variants.items():
        if not metrics["connections_created"]:
            told.append(f"{name} has connected to nothing here: does it read the connection string in MONGODB_URI?")
        if metrics["environments_killed"]:
            told.append(
                f"Environments of {name} were killed with their connections open. Here the kernel closes them; Lambda "
                "destroys an environment without that, and the server keeps them until keepalive gives up."
            )
        if metrics["late_ms_p99"] > LATE_MS:
            told.append(
                f"The driver itself was behind: one in a hundred invocations of {name} started "
                f"{metrics['late_ms_p99']:,.0f} ms or more after its time."
            )
        if metrics["core_wait_ms_p99"] > _CORE_WAIT_MS:
            told.append(
                f"One in a hundred invocations of {name} waited {metrics['core_wait_ms_p99']:,.0f} ms or more for a "
                "core of this machine, which Lambda would not let it do: there were more environments than on AWS. "
                "Latencies leave that wait out."
            )
    refused = sum(
        face.counters.refused["limit"] + face.counters.refused["admission"]
        for face in (bench.cluster.front.faces if bench.cluster.front else ())
    )
    if refused:
        told.append(f"The cluster refused {refused:,} connections beyond its limits.")
    return tuple(told)
