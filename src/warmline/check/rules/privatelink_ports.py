"""
WL183: a security group that stops connections to a private endpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from warmline.facts import sources

from ..finding import Finding, Severity
from ..infra.facts import Port, SecurityGroup
from ..project import Project
from ..values import Value
from .deployment import deployments
from .rule import Rule

# A private endpoint has a port for each node, anywhere in this range, and it may change.
_FIRST, _LAST = 1024, 65535


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for deployment in deployments(project):
        endpoints = [each for each in deployment.private_networks if each.kind == "private-endpoint"]
        if not endpoints or len(endpoints) < len(deployment.private_networks):
            # By peering the ports are those of the servers.
            continue
        known = deployment.security_groups
        for function in deployment.functions:
            if function.vpc is not None:
                groups = _groups(function.vpc.security_groups, known)
                yield from _short(rule, f"out of {function.name}", [group.egress for group in groups])
        if deployment.functions:
            for endpoint in endpoints:
                groups = _groups(endpoint.security_groups, known)
                yield from _short(rule, f"into the private endpoint {endpoint.name}", [each.ingress for each in groups])


def _groups(values: tuple[Value, ...], known: tuple[SecurityGroup, ...]) -> list[SecurityGroup]:
    """
    Return the security groups of the templates that values name; none if one of them is not among those.
    """
    found = [next((group for group in known if value.reads(group.name)), None) for value in values]
    groups = [group for group in found if group is not None]
    return groups if len(groups) == len(found) else []


def _short(rule: Rule, way: str, allowed: list[tuple[Port, ...] | None]) -> Iterator[Finding]:
    ports = [port for each in allowed for port in each or () if port.protocol in ("tcp", "-1")]
    if not ports or None in allowed or _covers(ports):
        return
    written = ", ".join(f"{port.low}-{port.high}" if port.low < port.high else f"{port.low}" for port in ports)
    yield rule.finding(
        ports[0].location,
        f"TCP {way} is let through for {written} only: a private endpoint's ports lie anywhere from {_FIRST} to "
        f"{_LAST}, and connections to others time out",
        remedy=f"let TCP {_FIRST}-{_LAST} through between the functions' security group and the endpoint's",
    )


def _covers(ports: Iterable[Port]) -> bool:
    reached = _FIRST - 1
    for port in sorted(ports, key=lambda port: port.low):
        if port.low > reached + 1:
            return False
        reached = max(reached, port.high)
    return reached >= _LAST


RULE = Rule(
    id="WL183",
    name="privatelink-ports",
    summary="A security group lets fewer ports through than a private endpoint may use.",
    practice="private-network",
    severity=Severity.WARNING,
    reads=("sam", "cloudformation", "terraform"),
    why=(
        "Behind a private endpoint every node of the cluster has a port of its own, from 1024 to 65535, and the ports "
        "may change. With a rule for 27017, as for a plain cluster, connections end in a timeout."
    ),
    fix="Allow TCP 1024-65535 between the functions' security group and the endpoint's.",
    sources=(sources.ATLAS_LAMBDA, sources.ATLAS_PRIVATE_ENDPOINT),
    match=_match,
)
