"""
What stands between functions and a cluster in Terraform: peering, private endpoints, NAT gateways, security groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...values import Value
from ..facts import Network, Port, SecurityGroup, Subnet
from .data import Fields, Resource, of, refers

_ENDPOINTS = (
    "mongodbatlas_privatelink_endpoint",
    "mongodbatlas_privatelink_endpoint_serverless",
    "mongodbatlas_privatelink_endpoint_service",
    "mongodbatlas_privatelink_endpoint_service_serverless",
)
_VPC_MODULE = "terraform-aws-modules/vpc/aws"

# What Terraform and EC2 call all protocols, with all of their ports.
_ALL = frozenset({"-1", "all"})
_TCP = frozenset({"tcp", "6"})

_LAST_PORT = 65535


def networks(resources: Iterable[Resource], everything: tuple[Resource, ...]) -> Iterator[Network]:
    """
    Yield the parts of the network among some resources.

    :param everything: what they may refer to.
    """
    for resource in of(resources, "mongodbatlas_network_peering"):
        if _provider(resource) in (None, "AWS"):
            vpc = resource.body.value("vpc_id")
            yield Network(
                kind="peering",
                name=resource.name,
                location=resource.location,
                vpc=vpc,
                conditional=resource.conditional,
            )
    atlas = [resource for resource in of(everything, *_ENDPOINTS) if _provider(resource) in (None, "AWS")]
    for resource in of(resources, "aws_vpc_endpoint"):
        # Either names the other: the endpoint Atlas's service, or Atlas's resource the endpoint.
        private = any(
            refers(resource.body.value("service_name"), each.address)
            or refers(each.body.value("endpoint_service_id"), resource.address)
            for each in atlas
        )
        yield Network(
            kind="private-endpoint" if private else "vpc-endpoint",
            name=resource.name,
            location=resource.location,
            vpc=resource.body.value("vpc_id"),
            subnets=resource.body.values("subnet_ids"),
            security_groups=resource.body.values("security_group_ids"),
            conditional=resource.conditional,
        )
    for resource in of(resources, *_ENDPOINTS):
        if _provider(resource) not in (None, "AWS"):
            continue
        yield Network(
            kind="private-endpoint",
            name=resource.name,
            location=resource.location,
            conditional=resource.conditional,
        )
    yield from _gateways(resources)


def _gateways(resources: Iterable[Resource]) -> Iterator[Network]:
    for resource in of(resources, "aws_nat_gateway"):
        address = resource.body.value("allocation_id")
        yield Network(
            kind="nat-gateway",
            name=resource.name,
            location=resource.location,
            subnets=resource.body.values("subnet_id"),
            fixed_address=address,
        )
    for resource in of(resources, "module"):
        source, enabled = resource.body.value("source"), resource.body.value("enable_nat_gateway")
        if source is None or source.text is None or enabled is None or enabled.text == "false":
            continue
        if source.text.startswith(_VPC_MODULE):
            # It gives each of its gateways an Elastic IP.
            yield Network(kind="nat-gateway", name=resource.name, location=resource.location, fixed_address=enabled)


def _provider(resource: Resource) -> str | None:
    provider = resource.body.value("provider_name")
    return provider.text if provider is not None else None


def subnets(resources: Iterable[Resource]) -> Iterator[Subnet]:
    """
    Yield the subnets of a deployment.
    """
    for resource in of(resources, "aws_subnet"):
        if (vpc := resource.body.value("vpc_id")) is not None:
            yield Subnet(resource.address, vpc)


def security_groups(resources: Iterable[Resource], everything: tuple[Resource, ...]) -> Iterator[SecurityGroup]:
    """
    Yield the security groups among some resources.

    :param everything: their rules may stand anywhere.
    """
    for group in of(resources, "aws_security_group"):
        yield SecurityGroup(
            name=group.address,
            location=group.location,
            egress=_ports(group, "egress", everything),
            ingress=_ports(group, "ingress", everything),
        )


def _ports(group: Resource, way: str, everything: tuple[Resource, ...]) -> tuple[Port, ...] | None:
    """
    Return what a group lets through in one way; ``None`` where that is not wholly known.
    """
    rules: list[Fields] = []
    if group.conditional or not group.body.known(way):
        return None
    rules.extend(group.body.each(way))
    for rule in of(everything, "aws_security_group_rule", f"aws_vpc_security_group_{way}_rule"):
        kind = rule.body.value("type")
        if rule.kind == "aws_security_group_rule" and (kind is None or kind.text not in (way, None)):
            continue
        owner = rule.body.value("security_group_id")
        if refers(owner, group.address):
            rules.append(rule.body)
        elif not any(refers(owner, other.address) for other in everything):
            # It may be a rule of this group.
            return None
    ports = [_port(rule) for rule in rules]
    known = tuple(port for port in ports if port is not None)
    # A group without any rule has them elsewhere.
    return known if known and len(known) == len(ports) else None


def _port(rule: Fields) -> Port | None:
    protocol = rule.value("protocol") or rule.value("ip_protocol")
    low, high = _number(rule.value("from_port")), _number(rule.value("to_port"))
    if protocol is None or protocol.text is None:
        return None
    if protocol.text.lower() in _ALL:
        return Port(0, _LAST_PORT, "-1", rule.location)
    if low is None or high is None:
        return None
    return Port(low, high, "tcp" if protocol.text.lower() in _TCP else protocol.text.lower(), rule.location)


def _number(value: Value | None) -> int | None:
    return int(value.number) if value is not None and value.number is not None else None
