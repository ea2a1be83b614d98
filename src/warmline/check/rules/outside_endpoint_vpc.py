"""
WL182: a function that is not in the VPC that the private network is made for.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Confidence, Finding, Severity, Step
from ..infra.facts import Function, Network
from ..project import Project
from ..values import Value
from .deployment import Deployment, deployments
from .rule import Rule

_WHAT = {"peering": "the peering connection", "private-endpoint": "the private endpoint"}


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for deployment in deployments(project):
        private = deployment.private_networks
        if not private or any(network.conditional for network in private):
            continue
        network = next((each for each in private if each.vpc is not None), private[0])
        for function in deployment.functions:
            if function.vpc is None:
                where = "stands outside a VPC"
            elif _elsewhere(function, private, deployment):
                where = "stands in another VPC"
            else:
                continue
            yield rule.finding(
                function.vpc.location if function.vpc is not None else function.location,
                f"{function.name} {where}, so its connections don't go by {_WHAT[network.kind]} {network.name}",
                remedy="put the function into subnets of the VPC that the private network is made for",
                # It may be meant for other clients, and VPCs may be joined elsewhere.
                confidence=Confidence.MEDIUM,
                path=(Step(f"{_WHAT[network.kind]} {network.name}", network.location),),
            )


def _elsewhere(function: Function, private: tuple[Network, ...], deployment: Deployment) -> bool:
    if function.vpc is None or not function.vpc.subnets:
        return False
    own = [_vpc_of(subnet, deployment) for subnet in function.vpc.subnets]
    theirs = [_resource(network.vpc) for network in private if network.vpc is not None]
    if not theirs or None in own or None in theirs:
        return False
    return set(own).isdisjoint(theirs)


def _vpc_of(subnet: Value, deployment: Deployment) -> str | None:
    found = {_resource(each.vpc) for each in deployment.subnets if subnet.reads(each.name)}
    return found.pop() if len(found) == 1 else None


def _resource(vpc: Value | None) -> str | None:
    """
    Return the VPC of the templates that a value names; ``None``: it comes from elsewhere.
    """
    if vpc is None or len(vpc.names) != 1:
        return None
    name = vpc.names[0]
    head, separator, _ = name.partition("aws_vpc.")
    if separator and "data." not in head:
        return name.removesuffix(".id")
    return None


RULE = Rule(
    id="WL182",
    name="outside-endpoint-vpc",
    summary="A function is not in the VPC of the private endpoint or of the peering connection.",
    practice="private-network",
    severity=Severity.WARNING,
    reads=("sam", "cloudformation", "terraform"),
    why=(
        "Peering and PrivateLink serve one VPC. A function outside of it goes over the internet, where the access list "
        "stops it or has to be open for it; with the private endpoint's connection string it finds no server and ends "
        "after `serverSelectionTimeoutMS`."
    ),
    fix="Give the function subnets of the VPC that the endpoint or the peering connection is made for.",
    sources=(sources.ATLAS_LAMBDA, sources.ATLAS_PEERING, sources.ATLAS_PRIVATE_ENDPOINT),
    match=_match,
)
