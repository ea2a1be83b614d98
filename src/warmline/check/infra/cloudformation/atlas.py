"""
Atlas's resources in CloudFormation: clusters, access lists, database users.

https://github.com/mongodb/mongodbatlas-cloudformation-resources/tree/master/cfn-resources
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...values import HOLE, Value
from .. import yaml
from ..facts import AccessEntry, Cluster, DatabaseUser
from .intrinsics import Values
from .resource import Resource, of


def clusters(resources: Iterable[Resource]) -> Iterator[Cluster]:
    """
    Yield the clusters among some resources.
    """
    for resource in of(resources, "MongoDB::Atlas::Cluster", "MongoDB::Atlas::FlexCluster"):
        kind, tier, shards = resource.value("ClusterType"), None, None
        if resource.kind == "MongoDB::Atlas::FlexCluster":
            kind, tier = Value("REPLICASET", resource.location), Value("Flex", resource.location)
        for specification in resource.each("ReplicationSpecs"):
            shards = resource.values.of(specification.get("NumShards"))
            tier = _tier(resource.values, specification)
            break
        yield Cluster(
            name=resource.name,
            location=resource.location,
            kind=kind,
            tier=tier,
            shards=shards,
            conditional=resource.conditional,
        )


def _tier(values: Values, specification: yaml.Mapping) -> Value | None:
    regions = specification.get("AdvancedRegionConfigs")
    for region in regions.items if isinstance(regions, yaml.Sequence) else ():
        electable = region.mapping("ElectableSpecs") if isinstance(region, yaml.Mapping) else None
        if electable is not None:
            return values.of(electable.get("InstanceSize"))
    return None


def access_entries(resources: Iterable[Resource]) -> Iterator[AccessEntry]:
    """
    Yield the entries of access lists among some resources.
    """
    for resource in of(resources, "MongoDB::Atlas::ProjectIpAccessList"):
        for entry in resource.each("AccessList"):
            for name in ("CIDRBlock", "IPAddress", "AwsSecurityGroup"):
                address = resource.values.of(entry.get(name))
                if address is not None:
                    yield AccessEntry(location=address.location, address=address, conditional=resource.conditional)


def database_users(resources: Iterable[Resource]) -> Iterator[DatabaseUser]:
    """
    Yield the database users among some resources.
    """
    for resource in of(resources, "MongoDB::Atlas::DatabaseUser"):
        iam = resource.value("AWSIAMType")
        yield DatabaseUser(
            name=resource.name,
            location=resource.location,
            password=resource.value("Password"),
            iam=iam if iam is not None and iam.text != "NONE" else None,
            roles=tuple(_role(resource.values, role) for role in resource.each("Roles")),
            conditional=resource.conditional,
        )


def _role(values: Values, role: yaml.Mapping) -> Value:
    name, database = values.of(role.get("RoleName")), values.of(role.get("DatabaseName"))
    parts = [HOLE if value is None or value.text is None else value.text for value in (name, database)]
    return Value("@".join(parts), values.document.at(role))
