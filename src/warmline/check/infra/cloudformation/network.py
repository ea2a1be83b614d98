"""
What stands between functions and a cluster in CloudFormation: peering, private endpoints, gateways, security groups.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_EC2.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .. import yaml
from ..facts import Network, Port, SecurityGroup, Subnet
from .intrinsics import Values, called
from .resource import Resource, of

_SERVICES = ("MongoDB::Atlas::PrivateEndpoint", "MongoDB::Atlas::PrivateEndpointService")
_ENDPOINT = "MongoDB::Atlas::PrivateEndpointAWS"

_LAST_PORT = 65_535

# What EC2 calls all protocols, with all of their ports.
_ALL = frozenset({"-1", "all"})
_TCP = frozenset({"tcp", "6"})


def networks(resources: tuple[Resource, ...]) -> Iterator[Network]:
    """
    Yield the parts of the network among some resources.
    """
    for resource in of(resources, "MongoDB::Atlas::NetworkPeering"):
        yield Network(
            kind="peering",
            name=resource.name,
            location=resource.location,
            vpc=resource.value("VpcId"),
            conditional=resource.conditional,
        )
    for resource in of(resources, *_SERVICES, _ENDPOINT):
        yield _private_endpoint(resource)
    services, endpoints = tuple(of(resources, *_SERVICES)), tuple(of(resources, _ENDPOINT))
    for resource in of(resources, "AWS::EC2::VPCEndpoint"):
        # Either names the other: the endpoint Atlas's service, or Atlas's resource the endpoint.
        private = resource.refers_to("ServiceName", services) or any(
            endpoint.refers_to("Id", (resource,)) for endpoint in endpoints
        )
        yield Network(
            kind="private-endpoint" if private else "vpc-endpoint",
            name=resource.name,
            location=resource.location,
            vpc=resource.value("VpcId"),
            subnets=resource.all("SubnetIds"),
            security_groups=resource.all("SecurityGroupIds"),
            conditional=resource.conditional,
        )
    for resource in of(resources, "AWS::EC2::NatGateway"):
        yield Network(
            kind="nat-gateway",
            name=resource.name,
            location=resource.location,
            subnets=resource.all("SubnetId"),
            fixed_address=resource.value("AllocationId"),
        )


def _private_endpoint(resource: Resource) -> Network:
    # An older form makes the endpoint in the VPC too.
    made = next(resource.each("PrivateEndpoints"), None)
    return Network(
        kind="private-endpoint",
        name=resource.name,
        location=resource.location,
        vpc=resource.values.of(made.get("VpcId")) if made is not None else None,
        subnets=resource.values.all(made.get("SubnetIds")) if made is not None else (),
        conditional=resource.conditional,
    )


def subnets(resources: Iterable[Resource]) -> Iterator[Subnet]:
    """
    Yield the subnets among some resources.
    """
    for resource in of(resources, "AWS::EC2::Subnet"):
        if (vpc := resource.value("VpcId")) is not None:
            yield Subnet(resource.name, vpc)


def security_groups(resources: tuple[Resource, ...]) -> Iterator[SecurityGroup]:
    """
    Yield the security groups among some resources.
    """
    groups = tuple(of(resources, "AWS::EC2::SecurityGroup"))
    for group in groups:
        yield SecurityGroup(
            name=group.name,
            location=group.location,
            egress=_ports(group, "Egress", resources, groups),
            ingress=_ports(group, "Ingress", resources, groups),
        )


def _ports(
    group: Resource, way: str, resources: tuple[Resource, ...], groups: tuple[Resource, ...]
) -> tuple[Port, ...] | None:
    """
    Return what a group lets through in one way; ``None`` where that is not wholly known, or it has no rule of its own.
    """
    rules = group.own.get(f"SecurityGroup{way}")
    if group.conditional or not isinstance(rules, yaml.Sequence) or rules.tag is not None:
        return None
    found = [_port(group.values, rule) for rule in rules.items]
    for rule in of(resources, f"AWS::EC2::SecurityGroup{way}"):
        if rule.refers_to("GroupId", (group,)):
            found.append(_port(rule.values, rule.own))
        elif not rule.refers_to("GroupId", groups):
            # It may be a rule of this group.
            return None
    ports = tuple(port for port in found if port is not None)
    return ports if ports and len(ports) == len(found) else None


def _port(values: Values, rule: yaml.Node) -> Port | None:
    if not isinstance(rule, yaml.Mapping) or called(rule) is not None:
        return None
    location = values.document.at(rule)
    protocol, low, high = (values.of(rule.get(name)) for name in ("IpProtocol", "FromPort", "ToPort"))
    if protocol is None or protocol.text is None:
        return None
    if protocol.text.lower() in _ALL:
        return Port(0, _LAST_PORT, "-1", location)
    if low is None or high is None or low.number is None or high.number is None:
        return None
    name = protocol.text.lower()
    return Port(int(low.number), int(high.number), "tcp" if name in _TCP else name, location)
