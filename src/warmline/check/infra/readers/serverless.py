"""
The Serverless Framework: ``serverless.yml``, and the CloudFormation within it.

https://www.serverless.com/framework/docs/providers/aws/guide/serverless.yml
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...values import HOLE, Value
from .. import yaml
from ..cloudformation.intrinsics import Values, texts
from ..facts import Function, InfraFacts, Variable, Vpc
from ..reader import Reader
from .cloudformation import CONNECTION_STRING, read_template

# Its own defaults, which it passes on to Lambda.
_MEMORY_MB = 1024
_TIMEOUT_SECONDS = 6

# `${env:NAME}`, `${self:custom.memory}`: known when it is deployed. One may stand within another.
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")

_KEYS = re.compile(rb"""^(["']?|\s*["'])(provider|functions|service)["']?\s*:""", re.MULTILINE)


def read(path: str, data: bytes) -> InfraFacts | None:
    """
    Read a service; ``None``: it is none of the Serverless Framework on AWS.
    """
    if len({found[2] for found in _KEYS.finditer(data)}) < 2:
        return None
    document = yaml.read(path, data)
    root = document.root
    if root is None:
        if document.problem is None or b"serverless" not in data + path.encode():
            return None
        return InfraFacts(path=path, kind="serverless", module=path, problem=document.problem)
    if not isinstance(root, yaml.Mapping):
        return None
    provider, service = root.get("provider"), root.get("service")
    values = _Values(document)
    if provider is None or (service is None and root.get("functions") is None) or not _on_aws(provider, values):
        return None
    within = _template(document, root)
    defaults = provider if isinstance(provider, yaml.Mapping) else None
    facts = InfraFacts(path=path, kind="serverless", module=path, problem=document.problem)
    if within is not None:
        facts = replace(within, kind="serverless", functions=(), strings=())
    return replace(
        facts,
        functions=(*_functions(values, root, defaults), *(within.functions if within is not None else ())),
        strings=tuple(texts(values, root, CONNECTION_STRING)),
        slim=tuple(_slim(values, root)),
    )


def _slim(values: _Values, root: yaml.Mapping) -> Iterator[Value]:
    """
    The plugin's ``slim: true``, which by its default patterns takes out compiled files.
    """
    custom = root.get("custom")
    plugin = custom.get("pythonRequirements") if isinstance(custom, yaml.Mapping) else None
    if isinstance(plugin, yaml.Mapping) and plugin.get("slimPatterns") is None:
        slim = values.of(plugin.get("slim"))
        if slim is not None and slim.text == "true":
            yield slim


@dataclass(frozen=True, slots=True)
class _Values(Values):
    """
    Values with the framework's own variables as holes.
    """

    def of(self, node: yaml.Node | None) -> Value | None:
        value = super(_Values, self).of(node)
        if value is None or value.text is None or "${" not in value.text:
            return value
        text, names = value.text, list(value.names)
        while found := _VARIABLE.search(text):
            names.append(found[1])
            text = f"{text[: found.start()]}\0{text[found.end() :]}"
        text = text.replace("\0", HOLE)
        return replace(value, text=text if text != HOLE else None, names=tuple(names))


@dataclass(frozen=True, slots=True)
class _Settings:
    """
    A function's own settings, and the provider's where it has none.
    """

    values: _Values
    own: yaml.Mapping
    provider: yaml.Mapping | None
    location: yaml.Node

    def get(self, name: str) -> yaml.Node | None:
        found = self.own.get(name)
        return self.provider.get(name) if found is None and self.provider is not None else found

    def value(self, name: str) -> Value | None:
        return self.values.of(self.get(name))

    def own_value(self, name: str) -> Value | None:
        return self.values.of(self.own.get(name))


def _on_aws(provider: yaml.Node, values: _Values) -> bool:
    name = values.of(provider.get("name") if isinstance(provider, yaml.Mapping) else provider)
    # `provider: ${file(provider.yml)}` may be any; `provider: aws` is the short form.
    return name is not None and name.text == "aws"


def _template(document: yaml.Document, root: yaml.Mapping) -> InfraFacts | None:
    section = root.get("resources")
    parts = section.items if isinstance(section, yaml.Sequence) else [section]
    found = None
    for part in parts:
        resources = part.mapping("Resources") if isinstance(part, yaml.Mapping) else None
        if isinstance(part, yaml.Mapping) and resources is not None:
            facts = read_template(document, part, resources, _Values)
            found = facts if found is None else _together(found, facts)
    return found


def _together(one: InfraFacts, other: InfraFacts) -> InfraFacts:
    return replace(
        one,
        functions=one.functions + other.functions,
        clusters=one.clusters + other.clusters,
        access_entries=one.access_entries + other.access_entries,
        database_users=one.database_users + other.database_users,
        parameters=one.parameters + other.parameters,
        security_groups=one.security_groups + other.security_groups,
        subnets=one.subnets + other.subnets,
        networks=one.networks + other.networks,
    )


def _functions(values: _Values, root: yaml.Mapping, provider: yaml.Mapping | None) -> Iterator[Function]:
    section = root.get("functions")
    for part in section.items if isinstance(section, yaml.Sequence) else [section]:
        for key, definition in part if isinstance(part, yaml.Mapping) else ():
            if isinstance(definition, yaml.Mapping):
                yield _function(key, _Settings(values, definition, provider, key))


def _function(key: yaml.Scalar, settings: _Settings) -> Function:
    document = settings.values.document
    before, indent = None, 0
    if settings.own.block and settings.own.pairs:
        first = settings.own.pairs[0][0]
        before, indent = document.before(first), document.at(first).column - 1
    package = settings.own.mapping("package")
    image = settings.own.get("image")
    command = settings.values.all(image.get("command")) if isinstance(image, yaml.Mapping) else ()
    return Function(
        name=key.text,
        location=document.at(key),
        # An image may be told its handler.
        handler=settings.own_value("handler") or next(iter(command), None),
        code=settings.values.of(package.get("artifact")) if package is not None else None,
        runtime=settings.value("runtime"),
        package="image" if image is not None else "zip",
        memory_mb=settings.value("memorySize"),
        default_memory_mb=_MEMORY_MB,
        timeout_seconds=settings.value("timeout"),
        default_timeout_seconds=_TIMEOUT_SECONDS,
        variables=_variables(settings),
        vpc=_vpc(settings),
        role=settings.value("role") or _role(settings),
        layers=settings.values.all(settings.get("layers")),
        reserved_concurrency=settings.own_value("reservedConcurrency"),
        provisioned_concurrency=settings.own_value("provisionedConcurrency"),
        snapstart=_text(settings.own_value("snapStart")) in ("true", "PublishedVersions"),
        scheduled=_scheduled(settings.own.get("events")),
        properties=before,
        indent=indent,
    )


def _scheduled(events: yaml.Node | None) -> bool:
    if not isinstance(events, yaml.Sequence):
        return False
    kinds = {key.text for event in events.items if isinstance(event, yaml.Mapping) for key, _ in event}
    return kinds == {"schedule"}


def _role(settings: _Settings) -> Value | None:
    iam = settings.provider.mapping("iam") if settings.provider is not None else None
    return settings.values.of(iam.get("role")) if iam is not None else None


def _variables(settings: _Settings) -> tuple[Variable, ...]:
    found: dict[str, Variable] = {}
    for section in (settings.provider, settings.own):
        variables = section.get("environment") if section is not None else None
        for key, node in variables if isinstance(variables, yaml.Mapping) else ():
            value = settings.values.of(node)
            if value is not None:
                found[key.text] = Variable(key.text, value, settings.values.document.at(key))
    return tuple(found.values())


def _vpc(settings: _Settings) -> Vpc | None:
    node = settings.get("vpc")
    # `vpc: ~` leaves the provider's out.
    if node is None or any(key.text == "vpc" and yaml.is_null(value) for key, value in settings.own):
        return None
    value = settings.values.of(node) if isinstance(node, yaml.Scalar) else None
    if value is not None and value.text == "false":
        return None
    section = node if isinstance(node, yaml.Mapping) else None
    return Vpc(
        location=settings.values.document.at(node),
        subnets=settings.values.all(section.get("subnetIds")) if section is not None else (),
        security_groups=settings.values.all(section.get("securityGroupIds")) if section is not None else (),
    )


def _text(value: Value | None) -> str | None:
    return value.text if value is not None else None


READER = Reader(
    name="serverless",
    kinds=("serverless",),
    suffixes=(".yml", ".yaml", ".json"),
    mentions=(b"provider",),
    comment="#",
    read=read,
)
