"""
All Terraform files of a project: which folders are modules, which call which, and the resources that come of it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ...values import Value
from .data import Data, Fields, Items, Resource
from .scope import Module, Scope, module
from .syntax import Block, Expression, File, Text

# So many levels of modules, and so many calls in a project; more is a circle.
_MOST_LEVELS = 5
_MOST_CALLS = 2000

# The resources that facts are made of or refer to, beside all of Atlas's; others are not evaluated.
_KINDS = frozenset(
    {
        "archive_file",
        "aws_default_security_group",
        "aws_lambda_function",
        "aws_lambda_provisioned_concurrency_config",
        "aws_nat_gateway",
        "aws_security_group",
        "aws_security_group_rule",
        "aws_subnet",
        "aws_vpc_endpoint",
        "aws_vpc_security_group_egress_rule",
        "aws_vpc_security_group_ingress_rule",
        "module",
    }
)
_ATLAS = "mongodbatlas_"

# More members of one `for_each` are read as one that is not known.
_MOST_MEMBERS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Deployment:
    """
    A module that nothing among the files calls, with all that it calls.

    :param scopes: its own, and one for each call.
    """

    folder: str
    scopes: tuple[Scope, ...]
    resources: tuple[Resource, ...]


def deployments(files: Iterable[File]) -> Iterator[Deployment]:
    """
    Yield what the files deploy.
    """
    modules = _modules(files)
    called = {folder for each in modules.values() for folder in _called(each, modules).values()}
    budget = iter(range(_MOST_CALLS))
    seen: set[str] = set()
    # Those that call each other in a circle come last.
    for folder in sorted(modules, key=lambda folder: (folder in called, folder)):
        if folder in called and folder in seen:
            continue
        root = Scope(modules[folder])
        scopes = tuple(_scopes(root, modules, budget, 0))
        seen.update(scope.module.folder for scope in scopes)
        resources = tuple(resource for scope in scopes for resource in _resources(scope))
        yield Deployment(folder, scopes, resources)


def _modules(files: Iterable[File]) -> dict[str, Module]:
    folders: dict[str, list[File]] = {}
    values: list[File] = []
    for file in files:
        if file.path.endswith((".tfvars", ".tfvars.json")):
            values.append(file)
        else:
            folders.setdefault(posixpath.dirname(file.path), []).append(file)
    return {folder: module(folder, members, _settings(folder, values)) for folder, members in folders.items()}


def _settings(folder: str, values: Iterable[File]) -> dict[str, Expression | None]:
    given: dict[str, Expression | None] = {}
    named: set[str] = set()
    for file in values:
        beside, name = posixpath.split(file.path)
        if (beside == folder and name.startswith("terraform.")) or (beside == folder and ".auto." in name):
            given.update(file.top.attributes)
        elif beside == folder or not folder or beside.startswith(f"{folder}/"):
            # One that somebody names when they deploy, and which is not known.
            named.update(file.top.attributes)
    return given | dict.fromkeys(named)


def _called(each: Module, modules: Mapping[str, Module]) -> dict[str, str]:
    found = {}
    for name, block in each.calls.items():
        match block.attributes.get("source"):
            case Text((str(source),)) if source.startswith("."):
                folder = posixpath.normpath(posixpath.join(each.folder, source))
                folder = "" if folder == "." else folder
                if folder in modules and folder != each.folder:
                    found[name] = folder
    return found


def _scopes(scope: Scope, modules: Mapping[str, Module], budget: Iterator[int], level: int) -> Iterator[Scope]:
    yield scope
    if level == _MOST_LEVELS:
        return
    for name, folder in _called(scope.module, modules).items():
        if next(budget, None) is None:
            return
        block = scope.module.calls[name]
        if _count(scope, block) == 0:
            continue
        child = Scope(modules[folder], scope, block.attributes, f"{scope.prefix}module.{name}.")
        child.conditional = scope.conditional or _conditional(scope, block)
        scope.calls[name] = child
        yield from _scopes(child, modules, budget, level + 1)


def _count(scope: Scope, block: Block) -> float | None:
    count = scope.of(block.attributes["count"]) if "count" in block.attributes else None
    return count.number if isinstance(count, Value) and not count.names else None


def _conditional(scope: Scope, block: Block) -> bool:
    return "for_each" in block.attributes or ("count" in block.attributes and _count(scope, block) is None)


def _resources(scope: Scope) -> Iterator[Resource]:
    for file in scope.module.files:
        for block in file.top.blocks:
            if block.kind in ("resource", "data") and len(block.labels) == 2:
                kind, name = block.labels
            elif block.kind == "module" and len(block.labels) == 1 and block.labels[0] not in scope.calls:
                kind, name = "module", block.labels[0]
            else:
                continue
            if kind not in _KINDS and not kind.startswith(_ATLAS):
                continue
            data = block.kind == "data"
            address = f"{scope.prefix}{'data.' if data else ''}{kind}.{name}"
            for each, certain in _instances(scope, block):
                yield Resource(
                    kind=kind,
                    name=name,
                    address=address,
                    body=each.block(block),
                    location=block.location,
                    data=data,
                    conditional=scope.conditional or not certain,
                    inside=block.inside,
                    indent=block.indent,
                )


def _instances(scope: Scope, block: Block) -> Iterator[tuple[Scope, bool]]:
    if _count(scope, block) == 0:
        return
    if "for_each" not in block.attributes:
        yield scope, not _conditional(scope, block)
        return
    members = _members(scope.of(block.attributes["for_each"]))
    if not members:
        # None by default, it may be: what a deployment gives is not known.
        yield scope, False
        return
    for key, value in members:
        yield scope.within(key, value), True


def _members(data: Data) -> list[tuple[Data, Data]] | None:
    match data:
        case Items(items, complete=True) if len(items) <= _MOST_MEMBERS:
            return [(item, item) for item in items]
        case Fields(fields, location, complete=True) if len(fields) <= _MOST_MEMBERS:
            return [(Value(key, location), value) for key, value in fields.items()]
    return None
