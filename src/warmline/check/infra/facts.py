"""
What is known of one template, whatever its kind.

An attribute is ``None`` where the template does not set it. A :class:`~warmline.check.values.Value` whose text is
``None`` is set, but to something that only a deployment knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..location import Location
from ..values import Value

Kind = Literal["sam", "cloudformation", "serverless", "terraform", "live"]


@dataclass(frozen=True, slots=True)
class Variable:
    """
    One environment variable of a function, or one property of a resource.

    :param location: where its name stands; ``None``: as its value.
    """

    name: str
    value: Value
    location: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """
    A function's place in a network.

    :param subnets: their ids or the names of the resources.
    :param security_groups: as ``subnets``.
    """

    location: Location
    subnets: tuple[Value, ...] = ()
    security_groups: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """
    One Lambda function.

    :param name: its name in the template (logical id, key or label).
    :param location: where its definition begins; findings without a better place stand there.
    :param properties: where a property can be added: an empty stretch at the beginning of a line, and its indent.
    :param code: the folder or archive of its code, relative to the template.
    :param code_path: the file that its handler stands in, among those that are checked; ``None``: not known.
    :param entries: the files that a bundler is given to build the code from, relative to ``code``.
    :param memory_mb: megabytes.
    :param default_memory_mb: what counts where ``memory_mb`` is not set; differs between tools.
    :param timeout_seconds: seconds.
    :param default_timeout_seconds: what counts where that is not set.
    :param reserved_concurrency: environments at most.
    :param provisioned_concurrency: environments kept initialized.
    :param snapstart: whether published versions start from a snapshot.
    :param managed_instances: whether it runs on Lambda Managed Instances.
    :param conditional: whether a condition decides if it is deployed.
    :param role: its IAM role, as a name, reference or ARN.
    """

    name: str
    location: Location
    handler: Value | None = None
    code: Value | None = None
    code_path: str | None = None
    entries: tuple[Value, ...] = ()
    runtime: Value | None = None
    package: Literal["zip", "image"] = "zip"
    memory_mb: Value | None = None
    default_memory_mb: int = 128
    timeout_seconds: Value | None = None
    default_timeout_seconds: int = 3
    variables: tuple[Variable, ...] = ()
    vpc: Vpc | None = None
    role: Value | None = None
    layers: tuple[Value, ...] = ()
    reserved_concurrency: Value | None = None
    provisioned_concurrency: Value | None = None
    snapstart: bool = False
    managed_instances: bool = False
    conditional: bool = False
    scheduled: bool = False
    properties: Location | None = None
    indent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """
    An Atlas cluster.

    :param kind: ``REPLICASET``, ``SHARDED`` or ``GEOSHARDED``, as Atlas calls it.
    :param tier: ``M10`` and so on.
    :param conditional: whether a condition decides if it is there.
    """

    name: str
    location: Location
    kind: Value | None = None
    tier: Value | None = None
    shards: Value | None = None
    conditional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEntry:
    """
    One entry of an Atlas project's access list: an address, a range, or an AWS security group.

    :param conditional: whether a condition decides if it is there.
    """

    location: Location
    address: Value
    conditional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUser:
    """
    An Atlas database user.

    :param iam: ``ROLE`` or ``USER`` where it logs in by AWS IAM, ``None`` otherwise.
    :param roles: ``name@database``.
    :param conditional: whether a condition decides if it is there.
    """

    name: str
    location: Location
    password: Value | None = None
    iam: Value | None = None
    roles: tuple[Value, ...] = ()
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """
    A template's parameter or variable with a default.
    """

    name: str
    default: Value | None
    location: Location
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Port:
    """
    A range of ports that a security group lets out or in.

    :param protocol: ``tcp``, or ``-1`` for all.
    """

    low: int
    high: int
    protocol: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroup:
    """
    A security group of the template.

    :param egress: what it lets out; ``None`` where that is everything, or not wholly known.
    :param ingress: likewise what it lets in.
    """

    name: str
    location: Location
    egress: tuple[Port, ...] | None = None
    ingress: tuple[Port, ...] | None = None


@dataclass(frozen=True, slots=True)
class Subnet:
    """
    A subnet of the template, and the VPC that it is in.
    """

    name: str
    vpc: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """
    A part of the network between the functions and the cluster.

    :param kind: ``peering`` or ``private-endpoint`` (with Atlas), ``nat-gateway``, ``vpc-endpoint``.
    :param fixed_address: a NAT gateway's Elastic IP.
    :param conditional: whether a condition decides if it is there.
    """

    kind: Literal["peering", "private-endpoint", "nat-gateway", "vpc-endpoint"]
    name: str
    location: Location
    vpc: Value | None = None
    subnets: tuple[Value, ...] = ()
    security_groups: tuple[Value, ...] = ()
    fixed_address: Value | None = None
    conditional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InfraFacts:
    """
    One template, or for Terraform one folder's file.

    :param module: what is deployed together: the template's path, or the folder of Terraform's root module.
    :param strings: literal texts with a connection string, wherever they stand.
    :param slim: what has the compiled files taken out of Python packages (serverless-python-requirements).
    :param problem: why it could not be read, or only in part; one line.
    """

    path: str
    kind: Kind
    module: str
    functions: tuple[Function, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    access_entries: tuple[AccessEntry, ...] = ()
    database_users: tuple[DatabaseUser, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    networks: tuple[Network, ...] = ()
    strings: tuple[Value, ...] = ()
    slim: tuple[Value, ...] = ()
    problem: str | None = None
