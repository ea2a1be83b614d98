"""
Terraform files, read into facts.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Files

from ...values import Value
from .. import yaml
from ..facts import InfraFacts, Parameter
from ..nodes import Mapping
from .atlas import access_entries, clusters, database_users
from .data import Fields, Items, Resource
from .functions import functions
from .hcl import read_hcl
from .modules import deployments
from .network import networks, security_groups, subnets
from .scope import Scope
from .syntax import File, Text, expressions
from .tfjson import read_json, read_plan

_CONNECTION_STRING = re.compile(r"mongodb(\+srv)?://")


def read_terraform(files: Files[str, bytes]) -> tuple[InfraFacts, ...]:
    """
    Read all Terraform files of a project.

    Files of one folder are a module, and a module's values come from what calls it. So each module that nothing calls
    makes facts of its own files and of those of the modules that it calls, once for each of these files.
    """
    parsed = [(read_json if path.endswith(".json") else read_hcl)(path, data) for path, data in files.items()]
    return tuple(facts for each in deployments(parsed) for facts in _facts(each.folder, each.scopes, each.resources))


def read_shown(path: str, data: bytes) -> InfraFacts | None:
    """
    Read what ``terraform show -json`` prints of a plan or of the state; ``None``: it is something else.
    """
    document = yaml.read(path, data)
    root = document.root
    if not isinstance(root, Mapping) or root.get("terraform_version") is None:
        return None
    resources = read_plan(document)
    return InfraFacts(
        path=path,
        kind="terraform",
        module=path,
        functions=tuple(functions(resources, resources, folder=posixpath.dirname(path))),
        clusters=tuple(clusters(resources)),
        access_entries=tuple(access_entries(resources)),
        database_users=tuple(database_users(resources)),
        security_groups=tuple(security_groups(resources, resources)),
        subnets=tuple(subnets(resources)),
        networks=tuple(networks(resources, resources)),
        problem=document.problem,
    )


def _facts(folder: str, scopes: Iterable[Scope], everything: tuple[Resource, ...]) -> Iterator[InfraFacts]:
    by_path: dict[str, list[Resource]] = {}
    for resource in everything:
        by_path.setdefault(resource.location.path, []).append(resource)
    seen: set[str] = set()
    for scope in scopes:
        for file in scope.module.files:
            # A module that is called twice has both calls' resources in the facts of one file.
            if file.path in seen:
                continue
            seen.add(file.path)
            here = by_path.get(file.path, [])
            yield InfraFacts(
                path=file.path,
                kind="terraform",
                module=folder,
                functions=tuple(functions(here, everything, folder=folder)),
                clusters=tuple(clusters(here)),
                access_entries=tuple(access_entries(here)),
                database_users=tuple(database_users(here)),
                parameters=tuple(_parameters(file, scope)),
                security_groups=tuple(security_groups(here, everything)),
                subnets=tuple(subnets(here)),
                networks=tuple(networks(here, everything)),
                strings=tuple(_strings(file, scope)),
                problem=file.problem,
            )


def _parameters(file: File, scope: Scope) -> Iterator[Parameter]:
    for block in file.top.inner("variable"):
        if not block.labels:
            continue
        default = scope.of(block.attributes["default"]) if "default" in block.attributes else None
        secret = block.attributes.get("sensitive")
        yield Parameter(
            block.labels[0],
            Value(None, default.location) if isinstance(default, Items | Fields) else default,
            block.location,
            isinstance(secret, Text) and secret.parts == ("true",),
        )


def _strings(file: File, scope: Scope) -> Iterator[Value]:
    for expression in expressions(file.top):
        if not isinstance(expression, Text):
            continue
        if any(isinstance(part, str) and _CONNECTION_STRING.search(part) for part in expression.parts):
            value = scope.of(expression)
            if isinstance(value, Value):
                yield value
