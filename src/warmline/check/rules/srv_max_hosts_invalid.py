"""
WL132: srvMaxHosts where drivers refuse it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from warmline.facts import sources

from ..finding import Confidence, Finding, Severity, Step
from ..project import Project
from ..uri import client_options, uri_options
from ..usage import clients_of
from ..values import Value
from .deployment import deployments
from .rule import Rule


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts in project.code:
        for client in facts.clients:
            options = client_options(client)
            reason = _refused(options, client.uri)
            if reason is not None:
                yield _finding(rule, options["srvMaxHosts"], reason)
    for template in project.infra:
        for value in template.strings:
            options = {option.name: option.value for option in uri_options(value)}
            reason = _refused(options, value)
            if reason is not None:
                yield _finding(rule, options["srvMaxHosts"], reason)
    yield from _on_replica_sets(rule, project)


def _on_replica_sets(rule: Rule, project: Project) -> Iterator[Finding]:
    for deployment in deployments(project):
        clusters = deployment.clusters
        if not clusters or any(
            cluster.kind is None or cluster.kind.text != "REPLICASET" or cluster.conditional for cluster in clusters
        ):
            continue
        reason = "the cluster is a replica set, whose DNS record names it"
        way = (Step(f"the cluster {clusters[0].name}", clusters[0].location),)
        for function in deployment.functions:
            given = [
                {option.name: option.value for option in uri_options(variable.value)}
                for variable in function.variables
                if variable.value.text is not None and variable.value.text.startswith("mongodb+srv://")
            ]
            given += [dict(client_options(client)) for client in clients_of(function, project)]
            for options in given:
                if _is_set(options) and _refused(options, None) is None:
                    # The function may use another cluster than this deployment's.
                    yield _finding(rule, options["srvMaxHosts"], reason, confidence=Confidence.MEDIUM, path=way)


def _is_set(options: Mapping[str, Value]) -> bool:
    limit = options.get("srvMaxHosts")
    # 0 means all hosts, and is refused nowhere.
    return limit is not None and limit.complete and limit.number not in (None, 0)


def _refused(options: Mapping[str, Value], uri: Value | None) -> str | None:
    if not _is_set(options):
        return None
    if uri is not None and (uri.text or "").startswith("mongodb://"):
        return "the connection string is no mongodb+srv://"
    name = options.get("replicaSet")
    if name is not None and name.text not in (None, "", "null"):
        return "replicaSet is set too, and no mongos is part of a replica set"
    balanced = options.get("loadBalanced")
    if balanced is not None and balanced.text == "true":
        return "loadBalanced=true is set too"
    return None


def _finding(
    rule: Rule,
    limit: Value,
    reason: str,
    *,
    confidence: Confidence = Confidence.HIGH,
    path: tuple[Step, ...] = (),
) -> Finding:
    return rule.finding(
        limit.location,
        f"srvMaxHosts is set to {limit.text}, but {reason}: the driver raises an error instead of connecting",
        remedy="take srvMaxHosts out; it is for mongodb+srv:// and sharded clusters",
        confidence=confidence,
        path=path,
    )


RULE = Rule(
    id="WL132",
    name="srv-max-hosts-invalid",
    summary="srvMaxHosts is set where drivers refuse it.",
    practice="limit-hosts",
    severity=Severity.ERROR,
    reads=(
        "python",
        "javascript",
        "typescript",
        "go",
        "java",
        "csharp",
        "ruby",
        "rust",
        "sam",
        "cloudformation",
        "serverless",
        "terraform",
    ),
    why=(
        "srvMaxHosts draws some of the mongos that an SRV record names. Without mongodb+srv://, with replicaSet (from "
        "the connection string or from the DNS record that Atlas publishes for a replica set), or with "
        "loadBalanced=true, every driver raises an error, and the function serves nothing."
    ),
    fix="Take srvMaxHosts out where the cluster is no sharded one.",
    sources=(sources.ATLAS_LAMBDA, sources.SPEC_SRV),
    match=_match,
)
