"""
WL131: connections to all mongos of a sharded cluster.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Confidence, Finding, Severity, Step
from ..infra.facts import Cluster, Function
from ..project import Project
from ..uri import client_options, uri_options, uri_options_known
from ..usage import clients_of
from ..values import Value
from .deployment import deployments
from .rule import Rule

# Each shard comes with about three.
_MONGOS_OF_A_SHARD = 3

_SEEDS = "mongodb+srv://"


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for deployment in deployments(project):
        clusters = deployment.clusters
        shards = [_shards(cluster) for cluster in clusters]
        # Of several clusters nobody knows which one a function uses, so all must have shards.
        if not clusters or not all(number >= 2 for number in shards):
            continue
        for function in deployment.functions:
            for variable in function.variables:
                confidence = _certain(variable.value, function, project)
                if confidence is None:
                    continue
                mongos = min(shards) * _MONGOS_OF_A_SHARD
                yield rule.finding(
                    variable.value.location,
                    f"{function.name}: {variable.name} sets no srvMaxHosts, and the cluster has {min(shards)} shards: "
                    f"every environment connects to about {mongos} mongos",
                    remedy="add srvMaxHosts=3 to the connection string's options",
                    confidence=confidence,
                    path=(Step(f"the cluster {clusters[0].name}", clusters[0].location),),
                )


def _shards(cluster: Cluster) -> int:
    kind, shards = cluster.kind, cluster.shards
    if cluster.conditional or kind is None or kind.text not in ("SHARDED", "GEOSHARDED"):
        return 0
    return int(shards.number) if shards is not None and shards.number is not None else 0


def _certain(value: Value, function: Function, project: Project) -> Confidence | None:
    if value.text is None or not value.text.startswith(_SEEDS) or not uri_options_known(value):
        return None
    options = {option.name: option.value for option in uri_options(value)}
    if "srvMaxHosts" in options:
        return None
    if function.code_path is None:
        # The code may set it.
        return Confidence.MEDIUM
    clients = clients_of(function, project)
    beside = [client_options(client) for client in clients]
    if not clients or any("srvMaxHosts" in found for found in beside):
        return None
    return Confidence.HIGH if all(client.options_known for client in clients) else Confidence.MEDIUM


RULE = Rule(
    id="WL131",
    name="srv-max-hosts-missing",
    summary="A function connects to all mongos of a sharded cluster.",
    practice="limit-hosts",
    severity=Severity.WARNING,
    reads=("sam", "cloudformation", "terraform"),
    why=(
        "A driver connects to every mongos that the SRV record names, about three for each shard, and every execution "
        "environment does. With `srvMaxHosts=3` it connects to three of them."
    ),
    fix="Set `srvMaxHosts=3` in the connection string.",
    sources=(sources.ATLAS_LAMBDA, sources.SPEC_SRV),
    match=_match,
)
