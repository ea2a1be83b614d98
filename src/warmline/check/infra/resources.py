"""
What stands between the functions and the cluster in CloudFormation: Atlas's resources, and the network's.

https://github.com/mongodb/mongodbatlas-cloudformation-resources/tree/master/cfn-resources
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ..location import Location
from ..values import HOLE, Value
from . import yaml
from .facts import AccessEntry, Cluster, DatabaseUser, Network, Port, SecurityGroup
from .intrinsics import Values, called

# All ports, where a rule does not say which.
_ALL = (0, 65535)


@dataclass(slots=True)
class Resources:
    """
    What was found, as :class:`~warmline.check.infra.facts.InfraFacts` keeps it.
    """

    clusters: list[Cluster] = field(default_factory=list)
    access_entries: list[AccessEntry] = field(default_factory=list)
    database_users: list[DatabaseUser] = field(default_factory=list)
    security_groups: list[SecurityGroup] = field(default_factory=list)
    networks: list[Network] = field(default_factory=list)


def resources(values: Values, section: yaml.Mapping) -> Resources:
    """
    Read a template's ``Resources``.
    """
    found = Resources()
    outside: list[tuple[str, Port]] = []
    for key, resource in section:
        kind = resource.get("Type") if isinstance(resource, yaml.Mapping) else None
        if isinstance(resource, yaml.Mapping) and isinstance(kind, yaml.Scalar):
            properties = resource.mapping("Properties")
            if properties is None or called(properties) is not None:
                properties = yaml.Mapping([], None, block=False, start=key.start, end=key.end)
            _add(found, outside, kind.text, _Resource(values, key, properties, resource.get("Condition") is not None))
    for name, port in outside:
        found.security_groups = [
            replace(group, egress=(*group.egress, port)) if group.name == name and group.egress is not None else group
            for group in found.security_groups
        ]
    return found


@dataclass(frozen=True, slots=True)
class _Resource:
    values: Values
    key: yaml.Scalar
    properties: yaml.Mapping
    conditional: bool

    @property
    def name(self) -> str:
        return self.key.text

    @property
    def location(self) -> Location:
        return self.values.document.at(self.key)

    def value(self, name: str) -> Value | None:
        return self.values.of(self.properties.get(name))

    def all(self, name: str) -> tuple[Value, ...]:
        return self.values.all(self.properties.get(name))


def _add(found: Resources, outside: list[tuple[str, Port]], kind: str, resource: _Resource) -> None:
    match kind:
        case "MongoDB::Atlas::Cluster":
            found.clusters.append(_cluster(resource))
        case "MongoDB::Atlas::FlexCluster":
            flex = Value("Flex", resource.location)
            replica_set = Value("REPLICASET", resource.location)
            found.clusters.append(
                Cluster(
                    name=resource.name,
                    location=resource.location,
                    kind=replica_set,
                    tier=flex,
                    conditional=resource.conditional,
                )
            )
        case "MongoDB::Atlas::ProjectIpAccessList":
            found.access_entries.extend(_access_entries(resource))
        case "MongoDB::Atlas::DatabaseUser":
            found.database_users.append(_database_user(resource))
        case "AWS::EC2::SecurityGroup":
            found.security_groups.append(_security_group(resource))
        case "AWS::EC2::SecurityGroupEgress":
            group = resource.value("GroupId")
            port = _port(resource.values, resource.properties)
            outside.extend((name, port) for name in (group.names if group is not None else ()))
        case _:
            found.networks.extend(_networks(kind, resource))


def _cluster(resource: _Resource) -> Cluster:
    values = resource.values
    specification = _first(resource.properties.get("ReplicationSpecs"))
    region = _first(specification.get("AdvancedRegionConfigs")) if specification is not None else None
    electable = region.mapping("ElectableSpecs") if region is not None else None
    return Cluster(
        name=resource.name,
        location=resource.location,
        kind=resource.value("ClusterType"),
        tier=values.of(electable.get("InstanceSize")) if electable is not None else None,
        shards=values.of(specification.get("NumShards")) if specification is not None else None,
        conditional=resource.conditional,
    )


def _access_entries(resource: _Resource) -> Iterator[AccessEntry]:
    entries = resource.properties.get("AccessList")
    for entry in entries.items if isinstance(entries, yaml.Sequence) else ():
        for name in ("CIDRBlock", "IPAddress", "AwsSecurityGroup"):
            address = resource.values.of(entry.get(name)) if isinstance(entry, yaml.Mapping) else None
            if address is not None:
                yield AccessEntry(location=address.location, address=address)


def _database_user(resource: _Resource) -> DatabaseUser:
    iam = resource.value("AWSIAMType")
    roles = resource.properties.get("Roles")
    return DatabaseUser(
        name=resource.name,
        location=resource.location,
        password=resource.value("Password"),
        iam=iam if iam is not None and iam.text != "NONE" else None,
        roles=tuple(
            _role(resource.values, role)
            for role in (roles.items if isinstance(roles, yaml.Sequence) else ())
            if isinstance(role, yaml.Mapping)
        ),
    )


def _role(values: Values, role: yaml.Mapping) -> Value:
    name, database = values.of(role.get("RoleName")), values.of(role.get("DatabaseName"))
    parts = [HOLE if value is None or value.text is None else value.text for value in (name, database)]
    return Value("@".join(parts), values.document.at(role))


def _security_group(resource: _Resource) -> SecurityGroup:
    rules = resource.properties.get("SecurityGroupEgress")
    egress = None
    if isinstance(rules, yaml.Sequence) and rules.tag is None:
        # A rule that is not plain (`!If`) may let everything out.
        egress = tuple(
            _port(resource.values, rule)
            if isinstance(rule, yaml.Mapping) and called(rule) is None
            else Port(*_ALL, "-1", resource.values.document.at(rule))
            for rule in rules.items
        )
    return SecurityGroup(name=resource.name, location=resource.location, egress=egress)


def _port(values: Values, rule: yaml.Mapping) -> Port:
    protocol, low, high = (values.of(rule.get(name)) for name in ("IpProtocol", "FromPort", "ToPort"))
    known = protocol.text if protocol is not None and protocol.complete else None
    numbers = [int(end.number) for end in (low, high) if end is not None and end.number is not None]
    first, last = numbers if len(numbers) == 2 else _ALL
    return Port(first, last, known or "-1", values.document.at(rule))


def _networks(kind: str, resource: _Resource) -> Iterator[Network]:
    match kind:
        case "MongoDB::Atlas::NetworkPeering":
            yield Network(kind="peering", name=resource.name, location=resource.location, vpc=resource.value("VpcId"))
        case "MongoDB::Atlas::PrivateEndpointAWS" | "MongoDB::Atlas::PrivateEndpointService":
            yield Network(kind="private-endpoint", name=resource.name, location=resource.location)
        case "MongoDB::Atlas::PrivateEndpoint":
            endpoint = _first(resource.properties.get("PrivateEndpoints"))
            yield Network(
                kind="private-endpoint",
                name=resource.name,
                location=resource.location,
                vpc=resource.values.of(endpoint.get("VpcId")) if endpoint is not None else None,
                subnets=resource.values.all(endpoint.get("SubnetIds")) if endpoint is not None else (),
            )
        case "AWS::EC2::NatGateway":
            yield Network(
                kind="nat-gateway",
                name=resource.name,
                location=resource.location,
                subnets=resource.all("SubnetId"),
                fixed_address=resource.value("AllocationId"),
            )
        case "AWS::EC2::VPCEndpoint":
            yield Network(
                kind="vpc-endpoint",
                name=resource.name,
                location=resource.location,
                vpc=resource.value("VpcId"),
                subnets=resource.all("SubnetIds"),
                security_groups=resource.all("SecurityGroupIds"),
            )


def _first(node: yaml.Node | None) -> yaml.Mapping | None:
    if isinstance(node, yaml.Sequence) and node.items and isinstance(node.items[0], yaml.Mapping):
        return node.items[0]
    return None
