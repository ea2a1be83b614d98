"""
What Terraform's MongoDB Atlas provider makes: clusters, access lists and database users.

https://registry.terraform.io/providers/mongodb/mongodbatlas/latest/docs
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...values import Value
from ..facts import AccessEntry, Cluster, DatabaseUser
from .data import Fields, Resource, of

_SHARED = {"mongodbatlas_flex_cluster": "Flex", "mongodbatlas_serverless_instance": "Serverless"}

_ADDRESSES = ("cidr_block", "ip_address", "aws_security_group")


def clusters(resources: Iterable[Resource]) -> Iterator[Cluster]:
    """
    Yield the clusters of a deployment.
    """
    for resource in of(resources, "mongodbatlas_cluster", "mongodbatlas_advanced_cluster"):
        body = resource.body
        yield Cluster(
            name=resource.name,
            location=resource.location,
            kind=body.value("cluster_type"),
            tier=body.value("provider_instance_size_name") or _tier(body),
            shards=_shards(body),
            conditional=resource.conditional,
        )
    for kind, tier in _SHARED.items():
        for resource in of(resources, kind):
            yield Cluster(
                name=resource.name,
                location=resource.location,
                kind=Value("REPLICASET", resource.location) if tier == "Flex" else None,
                tier=Value(tier, resource.location),
                conditional=resource.conditional,
            )


def _tier(body: Fields) -> Value | None:
    # Clusters may differ by region only in their read-only and analytics nodes.
    for specification in body.each("replication_specs"):
        for region in specification.each("region_configs"):
            electable = region.first("electable_specs")
            if electable is not None and (size := electable.value("instance_size")) is not None:
                return size
    return None


def _shards(body: Fields) -> Value | None:
    specifications = list(body.each("replication_specs"))
    location = specifications[0].location if specifications else body.location
    if not specifications:
        return body.value("num_shards")
    if not body.known("replication_specs"):
        return Value(None, location)
    # Each is a shard, or as many as it says in the older form of the resource.
    counts = [specification.value("num_shards") for specification in specifications]
    numbers = [1 if count is None else count.number for count in counts]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return Value(None, location)
    names = tuple(name for count in counts if count is not None for name in count.names)
    return Value(f"{sum(known):.0f}", location, names)


def access_entries(resources: Iterable[Resource]) -> Iterator[AccessEntry]:
    """
    Yield the entries of access lists.
    """
    for resource in of(resources, "mongodbatlas_project_ip_access_list", "mongodbatlas_project_ip_whitelist"):
        for name in _ADDRESSES:
            if (address := resource.body.value(name)) is not None:
                yield AccessEntry(location=resource.location, address=address, conditional=resource.conditional)


def database_users(resources: Iterable[Resource]) -> Iterator[DatabaseUser]:
    """
    Yield the database users of a deployment.
    """
    for resource in of(resources, "mongodbatlas_database_user"):
        body = resource.body
        iam = body.value("aws_iam_type")
        yield DatabaseUser(
            name=_name(resource),
            location=resource.location,
            password=body.value("password") or body.value("password_wo"),
            iam=None if iam is not None and iam.text == "NONE" else iam,
            roles=tuple(_roles(body)),
            conditional=resource.conditional,
        )


def _name(resource: Resource) -> str:
    name = resource.body.value("username")
    return name.text if name is not None and name.complete and name.text else resource.name


def _roles(body: Fields) -> Iterator[Value]:
    for role in body.each("roles"):
        name, database = role.value("role_name"), role.value("database_name")
        if name is None or name.text is None:
            continue
        where = database.text if database is not None and database.text is not None else "{}"
        yield Value(f"{name.text}@{where}", name.location, name.names)
