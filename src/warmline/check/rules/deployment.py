"""
What rules look at that compare parts of one deployment: its functions, clusters, users and network.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from ..infra.facts import Cluster, DatabaseUser, Function, InfraFacts, Network, SecurityGroup, Subnet
from ..project import Project
from ..usage import clients_of, names_mongodb


@dataclass(frozen=True, slots=True)
class Deployment:
    """
    The templates that are deployed together: one, or all files of a Terraform module and of those that it calls.

    :param functions: those that have to do with MongoDB.
    """

    templates: tuple[InfraFacts, ...]
    functions: tuple[Function, ...]

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """
        Its Atlas clusters.
        """
        return tuple(cluster for facts in self.templates for cluster in facts.clusters)

    @property
    def database_users(self) -> tuple[DatabaseUser, ...]:
        """
        Its database users.
        """
        return tuple(user for facts in self.templates for user in facts.database_users)

    @property
    def private_networks(self) -> tuple[Network, ...]:
        """
        Its peering connections and private endpoints with Atlas.
        """
        kinds = ("peering", "private-endpoint")
        return tuple(network for facts in self.templates for network in facts.networks if network.kind in kinds)

    @property
    def security_groups(self) -> tuple[SecurityGroup, ...]:
        """
        Its security groups.
        """
        return tuple(group for facts in self.templates for group in facts.security_groups)

    @property
    def subnets(self) -> tuple[Subnet, ...]:
        """
        Its subnets.
        """
        return tuple(subnet for facts in self.templates for subnet in facts.subnets)


def deployments(project: Project) -> Iterator[Deployment]:
    """
    Yield what the templates of a project deploy.
    """
    modules: dict[str, list[InfraFacts]] = defaultdict(list)
    for facts in project.infra:
        modules[facts.module].append(facts)
    for templates in modules.values():
        functions = tuple(
            function
            for facts in templates
            for function in facts.functions
            if names_mongodb(function) or clients_of(function, project)
        )
        yield Deployment(tuple(templates), functions)
