"""
WL181: a dedicated cluster that the functions reach over the internet only.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Confidence, Finding, Severity, Step
from ..infra.facts import Cluster
from ..project import Project
from .deployment import deployments
from .functions import by_place, named
from .rule import Rule


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for deployment in deployments(project):
        clusters = deployment.clusters
        if not clusters or not all(_is_dedicated(cluster) for cluster in clusters) or deployment.private_networks:
            continue
        outside = [(function.location, function) for function in deployment.functions if function.vpc is None]
        assumed = any(cluster.conditional or (cluster.tier and cluster.tier.names) for cluster in clusters)
        for location, functions in by_place(outside).items():
            yield rule.finding(
                location,
                f"{named(functions)}: outside a VPC, so neither peering nor a private endpoint leads to the cluster, "
                "and no address can be listed but the whole internet's",
                remedy="put the function into a VPC that is peered with the cluster's or has a private endpoint to it, "
                "or one with a NAT gateway and an Elastic IP to list",
                confidence=Confidence.MEDIUM if assumed else Confidence.HIGH,
                path=(Step(f"the cluster {clusters[0].name}", clusters[0].location),),
            )


def _is_dedicated(cluster: Cluster) -> bool:
    # M0, M2, M5, Flex and Serverless have neither peering nor endpoints, or not these; R40 has a low-CPU class.
    size = cluster.tier.text if cluster.tier is not None and cluster.tier.complete else None
    number = (size or "")[1:]
    return bool(size) and size is not None and size[0] in "MR" and number.isdecimal() and int(number) >= 10


RULE = Rule(
    id="WL181",
    name="no-private-path",
    summary="A function outside a VPC uses a dedicated cluster.",
    practice="private-network",
    severity=Severity.WARNING,
    reads=("sam", "cloudformation", "terraform"),
    why=(
        "A function outside a VPC leaves by one of Lambda's own addresses, which change and are not yours: the access "
        "list can name none of them, and what people write there is `0.0.0.0/0`. A dedicated cluster can be reached "
        "by peering or PrivateLink. What a public route costs is exposure, which is no time or count that a lab could "
        "measure."
    ),
    fix="Put the function into a VPC with peering, a private endpoint, or a NAT gateway with an Elastic IP.",
    sources=(sources.ATLAS_LAMBDA, sources.ATLAS_PEERING, sources.ATLAS_PRIVATE_ENDPOINT, sources.AWS_NAT_GATEWAY),
    match=_match,
)
