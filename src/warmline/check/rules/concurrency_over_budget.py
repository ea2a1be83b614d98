"""
WL221: more environments than the cluster's tier has connections for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from warmline.facts import sources
from warmline.facts.atlas_tiers import AtlasTier, UnknownTierError, tier

from ..finding import Confidence, Finding, Severity, Step
from ..infra.facts import Cluster, Function, InfraFacts
from ..project import Project
from ..usage import clients_of, names_mongodb
from .functions import named
from .rule import Rule

# What an account has in a region until AWS raises it, for all functions that reserve nothing together.
_ACCOUNT = 1000

# A monitor and one operation at a time on the primary; a monitor on each of the two secondaries.
_ON_PRIMARY = 2
_ON_ALL = 4


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    modules: dict[str, list[InfraFacts]] = defaultdict(list)
    for facts in project.infra:
        modules[facts.module].append(facts)
    for templates in modules.values():
        clusters = [cluster for facts in templates for cluster in facts.clusters]
        functions = [function for facts in templates for function in facts.functions]
        # Of several clusters nobody knows which one a function uses.
        if len(clusters) == 1 and (limit := _limit(clusters[0])) is not None:
            concerned = [
                function
                for function in functions
                if _is_counted(function) and (names_mongodb(function) or clients_of(function, project))
            ]
            yield from _compared(rule, clusters[0], limit, functions, concerned)


def _compared(
    rule: Rule, cluster: Cluster, limit: AtlasTier, functions: Sequence[Function], concerned: Sequence[Function]
) -> Iterator[Finding]:
    reserved = [function for function in concerned if function.reserved_concurrency is not None]
    shared = [function for function in concerned if function.reserved_concurrency is None]
    of_reserved = sum(_reserved(function) for function in reserved)
    # What any function reserves, the others can't have.
    of_account = max(0, _ACCOUNT - sum(_reserved(function) for function in functions)) if shared else 0
    each, where = (_ON_ALL, "in all") if limit.counted == "cluster" else (_ON_PRIMARY, "on the primary")
    connections = (of_reserved + of_account) * each
    if connections <= limit.connections_per_node:
        return
    parts = []
    if of_reserved:
        parts.append(f"{of_reserved:,} environments that {named(reserved)} reserve")
    if shared:
        what = "" if parts else " environments"
        parts.append(f"{of_account:,}{what} that {named(shared)} may have, as nothing is reserved")
    first = (shared or reserved)[0]
    place = first.reserved_concurrency.location if first.reserved_concurrency is not None else first.location
    per = "node" if limit.counted == "node" else "cluster"
    yield rule.finding(
        place,
        f"{' and '.join(parts)}, with {each} connections each {where} (one operation at a time), are "
        f"{connections:,} connections, and {cluster.name}'s tier {limit.name} takes {limit.connections_per_node:,} "
        f"per {per}",
        remedy=f"reserve {limit.connections_per_node // each:,} environments at most for all of them, or choose a "
        "larger tier",
        confidence=Confidence.MEDIUM if shared else Confidence.HIGH,
        path=(Step(first.name, first.location), Step(f"the cluster {cluster.name}", cluster.location)),
    )


def _limit(cluster: Cluster) -> AtlasTier | None:
    kind = cluster.kind
    # Connections to a sharded cluster are spread over its mongos.
    if cluster.conditional or (kind is not None and kind.text != "REPLICASET"):
        return None
    size = cluster.tier.text if cluster.tier is not None else None
    if size is None:
        return None
    try:
        return tier(f"M{size[1:]}", "low") if size.startswith("R") else tier(size)
    except UnknownTierError:
        return None


def _is_counted(function: Function) -> bool:
    """
    Whether it is known how many environments it has at most; each is one process with one client.
    """
    if function.conditional or function.managed_instances:
        return False
    if function.reserved_concurrency is None:
        # A schedule seldom has two of one function.
        return not function.scheduled
    return function.reserved_concurrency.number is not None


def _reserved(function: Function) -> int:
    number = function.reserved_concurrency.number if function.reserved_concurrency is not None else None
    return int(number) if number is not None else 0


RULE = Rule(
    id="WL221",
    name="concurrency-over-budget",
    summary="The functions may have more environments than the cluster's tier has connections for.",
    practice="connection-budget",
    severity=Severity.WARNING,
    reads=("sam", "cloudformation", "serverless", "terraform"),
    why=(
        "Lambda adds an environment for every request at once, and each brings its own connections: on the primary "
        "one for the monitor and one for each operation at once. Atlas limits the sum per node by the tier (1,500 on "
        "an M10) and refuses the rest, for everybody who uses the cluster. A function that reserves no concurrency "
        "may take all that the account has, 1,000 environments unless AWS has raised it. An M10 or M20 also "
        "admits only 15 new connections in a second on each node: in the lab's experiment `storm` 200 environments "
        "that start at once left 175 of 200 callers without an answer, with MongoDB's example."
    ),
    fix="Reserve concurrency for the functions so that the sum fits the tier, or choose a larger tier.",
    sources=(sources.ATLAS_LIMITS, sources.SPEC_MONITORING),
    match=_match,
)
