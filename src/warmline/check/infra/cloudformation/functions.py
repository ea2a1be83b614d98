"""
Lambda functions of CloudFormation and SAM.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...values import Value
from .. import yaml
from ..facts import Function, Variable, Vpc
from .intrinsics import called
from .resource import Resource, of

_SERVERLESS = "AWS::Serverless::Function"

_SCHEDULES = frozenset({"Schedule", "ScheduleV2"})

# A macro within a mapping adds to it what nobody sees before the deployment.
_MACROS = frozenset({"Fn::Transform", "Transform"})


@dataclass(frozen=True, slots=True)
class _Properties:
    """
    A function's own properties, and those of ``Globals`` where it has none.
    """

    resource: Resource
    inherited: yaml.Mapping | None
    opaque: bool

    def get(self, *path: str) -> yaml.Node | None:
        for section in (self.resource.own, self.inherited):
            node: yaml.Node | None = section
            for name in path:
                node = node.get(name) if isinstance(node, yaml.Mapping) else None
            if node is not None:
                return node
        return None

    def value(self, *path: str) -> Value | None:
        """
        Return a property's value; where a macro may have set it, it is set to something that is not known.
        """
        found = self.resource.values.of(self.get(*path))
        if found is None and (self.opaque or self._computed(path)):
            return Value(None, self.resource.location)
        return found

    def all(self, *path: str) -> tuple[Value, ...]:
        """
        Return the members of a list; SAM adds those of ``Globals`` to the function's own.
        """
        found: tuple[Value, ...] = ()
        for section in (self.inherited, self.resource.own):
            node: yaml.Node | None = section
            for name in path:
                node = node.get(name) if isinstance(node, yaml.Mapping) else None
            found += self.resource.values.all(node)
        return found

    def _computed(self, path: tuple[str, ...]) -> bool:
        # `SnapStart: !If [...]` hides all that is within.
        return any((node := self.get(*path[:end])) and called(node) for end in range(1, len(path)))


def functions(resources: tuple[Resource, ...], shared: yaml.Mapping | None, *, opaque: bool) -> Iterator[Function]:
    """
    Yield the functions among some resources.

    :param shared: SAM's ``Globals.Function``.
    :param opaque: whether a macro that is not known may set what the template leaves unset.
    """
    for resource in of(resources, _SERVERLESS, "AWS::Lambda::Function"):
        inherited = shared if resource.kind == _SERVERLESS else None
        macros = any(_has_macro(section) for section in (resource.own, inherited, resource.body))
        properties = _Properties(resource, inherited, opaque or macros)
        yield _function(resource, properties, next(_provisioned(resource, resources), None))


def _function(resource: Resource, properties: _Properties, provisioned: Value | None) -> Function:
    document = resource.values.document
    image = _is_image(properties)
    before, indent = None, 0
    if resource.own.block and resource.own.pairs:
        first = resource.own.pairs[0][0]
        before, indent = document.before(first), document.at(first).column - 1
    own_provisioned = properties.value("ProvisionedConcurrencyConfig", "ProvisionedConcurrentExecutions")
    return Function(
        name=resource.name,
        location=resource.location,
        # An image may be told its handler.
        handler=next(iter(properties.all("ImageConfig", "Command")), None) if image else properties.value("Handler"),
        code=_context(resource) if image else _code(resource, properties),
        entries=_entries(resource),
        runtime=properties.value("Runtime"),
        package="image" if image else "zip",
        memory_mb=properties.value("MemorySize"),
        timeout_seconds=properties.value("Timeout"),
        variables=_variables(properties),
        vpc=_vpc(properties),
        role=properties.value("Role"),
        layers=properties.all("Layers"),
        reserved_concurrency=properties.value("ReservedConcurrentExecutions"),
        provisioned_concurrency=own_provisioned or provisioned,
        snapstart=_text(properties.value("SnapStart", "ApplyOn")) == "PublishedVersions",
        managed_instances=properties.get("CapacityProviderConfig") is not None,
        conditional=resource.conditional,
        scheduled=_scheduled(properties.get("Events")),
        properties=before,
        indent=indent,
    )


def _is_image(properties: _Properties) -> bool:
    given = properties.get("ImageUri") or properties.get("Code", "ImageUri")
    return given is not None or _text(properties.value("PackageType")) == "Image"


def _metadata(resource: Resource, name: str) -> yaml.Node | None:
    metadata = resource.body.mapping("Metadata")
    return metadata.get(name) if metadata is not None else None


def _context(resource: Resource) -> Value | None:
    """
    What SAM builds an image from.
    """
    return resource.values.of(_metadata(resource, "DockerContext"))


def _code(resource: Resource, properties: _Properties) -> Value | None:
    values = resource.values
    # Where CDK has put what it uploads, beside the template.
    asset = values.of(_metadata(resource, "aws:asset:path"))
    if asset is not None:
        return asset
    for name in ("CodeUri", "Code", "InlineCode"):
        node = properties.get(name)
        if node is None:
            continue
        if not isinstance(node, yaml.Mapping) or called(node) is not None:
            return values.of(node) if name != "InlineCode" else Value(None, values.document.at(node))
        found = values.of(node.get("Key")) or values.of(node.get("S3Key"))
        # Code within the template is in no file.
        return found or Value(None, values.document.at(node))
    return None


def _entries(resource: Resource) -> tuple[Value, ...]:
    build = _metadata(resource, "BuildProperties")
    return resource.values.all(build.get("EntryPoints")) if isinstance(build, yaml.Mapping) else ()


def _variables(properties: _Properties) -> tuple[Variable, ...]:
    found: dict[str, Variable] = {}
    values = properties.resource.values
    for section in (properties.inherited, properties.resource.own):
        environment = section.mapping("Environment") if section is not None else None
        variables = environment.mapping("Variables") if environment is not None else None
        for key, node in variables if variables is not None and called(variables) is None else ():
            value = values.of(node)
            if value is not None:
                found[key.text] = Variable(key.text, value, values.document.at(key))
    return tuple(found.values())


def _vpc(properties: _Properties) -> Vpc | None:
    node = properties.get("VpcConfig")
    if node is None:
        # One that a macro may have set is taken as there: nothing can be said against it.
        return Vpc(location=properties.resource.location) if properties.opaque else None
    return Vpc(
        location=properties.resource.values.document.at(node),
        subnets=properties.all("VpcConfig", "SubnetIds"),
        security_groups=properties.all("VpcConfig", "SecurityGroupIds"),
    )


def _scheduled(events: yaml.Node | None) -> bool:
    if not isinstance(events, yaml.Mapping):
        return False
    kinds = [event.get("Type") for _, event in events if isinstance(event, yaml.Mapping)]
    return bool(kinds) and all(isinstance(kind, yaml.Scalar) and kind.text in _SCHEDULES for kind in kinds)


def _provisioned(function: Resource, resources: tuple[Resource, ...]) -> Iterator[Value]:
    for version in of(resources, "AWS::Lambda::Alias", "AWS::Lambda::Version"):
        setting = version.own.mapping("ProvisionedConcurrencyConfig")
        count = version.values.of(setting.get("ProvisionedConcurrentExecutions")) if setting is not None else None
        if count is not None and version.refers_to("FunctionName", (function,)):
            yield count


def _has_macro(section: yaml.Node | None) -> bool:
    return isinstance(section, yaml.Mapping) and any(key.text in _MACROS for key, _ in section)


def _text(value: Value | None) -> str | None:
    return value.text if value is not None else None
