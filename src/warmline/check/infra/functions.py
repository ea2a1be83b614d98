"""
Lambda functions of CloudFormation and SAM.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..values import Value
from . import yaml
from .facts import Function, Variable, Vpc
from .intrinsics import Values, called

SERVERLESS = "AWS::Serverless::Function"
TYPES = frozenset({SERVERLESS, "AWS::Lambda::Function"})

# What names a version of a function, and may keep environments of it initialized.
_VERSIONS = frozenset({"AWS::Lambda::Alias", "AWS::Lambda::Version"})

_SCHEDULES = frozenset({"Schedule", "ScheduleV2"})

# A macro within a mapping adds to it what nobody sees before the deployment.
_MACROS = frozenset({"Fn::Transform", "Transform"})


@dataclass(frozen=True, slots=True)
class _Properties:
    """
    A function's own properties, and those of ``Globals`` where it has none.
    """

    values: Values
    own: yaml.Mapping | None
    inherited: yaml.Mapping | None
    location: yaml.Node
    opaque: bool

    def get(self, *path: str) -> yaml.Node | None:
        for section in (self.own, self.inherited):
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
        found = self.values.of(self.get(*path))
        if found is None and (self.opaque or self._computed(path)):
            return Value(None, self.values.document.at(self.location))
        return found

    def all(self, *path: str) -> tuple[Value, ...]:
        """
        Return the members of a list; SAM adds those of ``Globals`` to the function's own.
        """
        found: tuple[Value, ...] = ()
        for section in (self.inherited, self.own):
            node: yaml.Node | None = section
            for name in path:
                node = node.get(name) if isinstance(node, yaml.Mapping) else None
            found += self.values.all(node)
        return found

    def _computed(self, path: tuple[str, ...]) -> bool:
        # `SnapStart: !If [...]` hides all that is within.
        return any((node := self.get(*path[:end])) and called(node) for end in range(1, len(path)))


def functions(
    values: Values, resources: yaml.Mapping, shared: yaml.Mapping | None, *, opaque: bool
) -> Iterator[Function]:
    """
    Yield the functions of a template.

    :param resources: its ``Resources``.
    :param shared: SAM's ``Globals.Function``.
    :param opaque: whether a macro that is not known may set what the template leaves unset.
    """
    provisioned = dict(_provisioned(values, resources))
    for key, resource in resources:
        kind = resource.get("Type") if isinstance(resource, yaml.Mapping) else None
        if not isinstance(resource, yaml.Mapping) or not isinstance(kind, yaml.Scalar) or kind.text not in TYPES:
            continue
        own = resource.get("Properties")
        inherited = shared if kind.text == SERVERLESS else None
        sections = (own, inherited, resource)
        properties = _Properties(
            values,
            own if isinstance(own, yaml.Mapping) else None,
            inherited,
            key,
            opaque or any(_has_macro(section) for section in sections),
        )
        function = _function(key, properties, resource)
        if function.provisioned_concurrency is None and key.text in provisioned:
            function = replace(function, provisioned_concurrency=provisioned[key.text])
        yield function


def _function(key: yaml.Scalar, properties: _Properties, resource: yaml.Mapping) -> Function:
    document = properties.values.document
    code, image = _code(properties, resource)
    before, indent = None, 0
    if properties.own is not None and properties.own.block and properties.own.pairs:
        first = properties.own.pairs[0][0]
        before, indent = document.before(first), document.at(first).column - 1
    return Function(
        name=key.text,
        location=document.at(key),
        # An image may be told its handler.
        handler=properties.value("Handler")
        if not image
        else next(iter(properties.all("ImageConfig", "Command")), None),
        code=code,
        entries=_entries(properties.values, resource),
        runtime=properties.value("Runtime"),
        package="image" if image else "zip",
        memory_mb=properties.value("MemorySize"),
        timeout_seconds=properties.value("Timeout"),
        variables=_variables(properties),
        vpc=_vpc(properties),
        role=properties.value("Role"),
        layers=properties.all("Layers"),
        reserved_concurrency=properties.value("ReservedConcurrentExecutions"),
        provisioned_concurrency=properties.value("ProvisionedConcurrencyConfig", "ProvisionedConcurrentExecutions"),
        snapstart=_text(properties.value("SnapStart", "ApplyOn")) == "PublishedVersions",
        managed_instances=properties.get("CapacityProviderConfig") is not None,
        conditional=resource.get("Condition") is not None,
        scheduled=_scheduled(properties.get("Events")),
        properties=before,
        indent=indent,
    )


def _code(properties: _Properties, resource: yaml.Mapping) -> tuple[Value | None, bool]:
    """
    Where the code is, and whether that is an image.
    """
    values = properties.values
    image = properties.get("ImageUri") or properties.get("Code", "ImageUri")
    if image is not None or _text(properties.value("PackageType")) == "Image":
        metadata = resource.mapping("Metadata")
        return values.of(metadata.get("DockerContext")) if metadata is not None else None, True
    metadata = resource.mapping("Metadata")
    # Where CDK has put what it uploads, beside the template.
    asset = values.of(metadata.get("aws:asset:path")) if metadata is not None else None
    if asset is not None:
        return asset, False
    for name in ("CodeUri", "Code"):
        node = properties.get(name)
        if isinstance(node, yaml.Mapping) and called(node) is None:
            found = values.of(node.get("Key")) or values.of(node.get("S3Key"))
            # Code within the template is in no file.
            return found or (Value(None, values.document.at(node)) if node.get("ZipFile") else None), False
        if node is not None:
            return values.of(node), False
    inline = properties.get("InlineCode")
    return (Value(None, values.document.at(inline)) if inline is not None else None), False


def _entries(values: Values, resource: yaml.Mapping) -> tuple[Value, ...]:
    metadata = resource.mapping("Metadata")
    build = metadata.mapping("BuildProperties") if metadata is not None else None
    return values.all(build.get("EntryPoints")) if build is not None else ()


def _variables(properties: _Properties) -> tuple[Variable, ...]:
    found: dict[str, Variable] = {}
    for section in (properties.inherited, properties.own):
        environment = section.mapping("Environment") if section is not None else None
        variables = environment.mapping("Variables") if environment is not None else None
        for key, node in variables if variables is not None and called(variables) is None else ():
            value = properties.values.of(node)
            if value is not None:
                found[key.text] = Variable(key.text, value, properties.values.document.at(key))
    return tuple(found.values())


def _vpc(properties: _Properties) -> Vpc | None:
    node = properties.get("VpcConfig")
    if node is None:
        return None
    return Vpc(
        location=properties.values.document.at(node),
        subnets=properties.all("VpcConfig", "SubnetIds"),
        security_groups=properties.all("VpcConfig", "SecurityGroupIds"),
    )


def _scheduled(events: yaml.Node | None) -> bool:
    if not isinstance(events, yaml.Mapping):
        return False
    kinds = [event.get("Type") for _, event in events if isinstance(event, yaml.Mapping)]
    return bool(kinds) and all(isinstance(kind, yaml.Scalar) and kind.text in _SCHEDULES for kind in kinds)


def _provisioned(values: Values, resources: yaml.Mapping) -> Iterator[tuple[str, Value]]:
    for _, resource in resources:
        kind = resource.get("Type") if isinstance(resource, yaml.Mapping) else None
        if not isinstance(resource, yaml.Mapping) or not isinstance(kind, yaml.Scalar) or kind.text not in _VERSIONS:
            continue
        properties = resource.mapping("Properties")
        setting = properties.mapping("ProvisionedConcurrencyConfig") if properties is not None else None
        if properties is None or setting is None:
            continue
        count = values.of(setting.get("ProvisionedConcurrentExecutions"))
        function = values.of(properties.get("FunctionName"))
        if function is not None and count is not None:
            for name in function.names:
                yield name, count


def _has_macro(section: yaml.Node | None) -> bool:
    return isinstance(section, yaml.Mapping) and any(key.text in _MACROS for key, _ in section)


def _text(value: Value | None) -> str | None:
    return value.text if value is not None else None
