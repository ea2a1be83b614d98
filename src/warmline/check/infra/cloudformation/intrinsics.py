"""
CloudFormation's values: what a property's text is before anything is deployed, as far as the template tells it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ...values import HOLE, Value
from .. import yaml
from ..facts import Parameter

# `${Name}`, and `${!Name}` for a text that looks like one.
_SUBSTITUTED = re.compile(r"\$\{(!?)([^}]*)\}")

# What CloudFormation fetches when it deploys: a secret that stands nowhere in the template.
_RESOLVED = re.compile(r"\{\{resolve:[^{}]*\}\}")

# The text of a parameter of such a type is not its value, but the name of where that is.
_ELSEWHERE = "AWS::SSM::Parameter::Value"

_TRUTH = frozenset({"true", "false"})


@dataclass(frozen=True, slots=True)
class Values:
    """
    The values of one template.

    :param parameters: by name, with their default where they have one.
    """

    document: yaml.Document
    parameters: Mapping[str, Value | None] = field(default_factory=dict)

    def of(self, node: yaml.Node | None) -> Value | None:
        """
        Return a property's value; ``None``: it is not set.
        """
        if node is None or yaml.is_null(node):
            return None
        location = self.document.at(node)
        function = called(node)
        if function is None:
            if isinstance(node, yaml.Scalar) and node.tag in (None, "tag:yaml.org,2002:str"):
                return Value(literal(node), location, names=tuple(_RESOLVED.findall(node.text)))
            return Value(None, location)
        name, argument = function
        match name:
            case "Ref" if isinstance(argument, yaml.Scalar):
                default = self.parameters.get(argument.text)
                if default is not None and default.text:
                    return Value(default.text, default.location, (argument.text, *default.names))
                return Value(None, location, (argument.text,))
            case "Sub":
                text, names = self._substituted(argument)
                return Value(text, location, names)
            case "Join":
                text, names = self._joined(argument)
                return Value(text, location, names)
        return Value(None, location, tuple(_named(argument)))

    def all(self, node: yaml.Node | None) -> tuple[Value, ...]:
        """
        Return the values of a list; one that is no list is its only member.
        """
        nodes = node.items if isinstance(node, yaml.Sequence) and node.tag is None else [node]
        return tuple(value for value in map(self.of, nodes) if value is not None)

    def _substituted(self, argument: yaml.Node) -> tuple[str | None, tuple[str, ...]]:
        given: dict[str, Value | None] = {}
        if isinstance(argument, yaml.Sequence) and argument.items:
            if len(argument.items) > 1 and isinstance(argument.items[1], yaml.Mapping):
                given = {key.text: self.of(value) for key, value in argument.items[1]}
            argument = argument.items[0]
        if not isinstance(argument, yaml.Scalar):
            return None, ()
        names: list[str] = []

        def part(found: re.Match[str]) -> str:
            if found[1]:
                return f"${{{found[2]}}}"
            name = found[2].strip()
            names.append(name.partition(".")[0])
            value = given.get(name, self.parameters.get(name))
            return value.text if value is not None and value.text else HOLE

        text = _SUBSTITUTED.sub(part, argument.text)
        names += _RESOLVED.findall(text)
        return _RESOLVED.sub(HOLE, text), tuple(names)

    def _joined(self, argument: yaml.Node) -> tuple[str | None, tuple[str, ...]]:
        if not isinstance(argument, yaml.Sequence) or len(argument.items) != 2:
            return None, ()
        separator, parts = argument.items
        if not isinstance(separator, yaml.Scalar) or not isinstance(parts, yaml.Sequence) or parts.tag is not None:
            return None, ()
        values = self.all(parts)
        texts = (value.text if value.text is not None else HOLE for value in values)
        return separator.text.join(texts), tuple(name for value in values for name in value.names)


def literal(node: yaml.Scalar) -> str:
    """
    Return a scalar's text, with a hole for what is fetched elsewhere; truth values in small letters.
    """
    if node.plain and node.text.lower() in _TRUTH:
        return node.text.lower()
    return _RESOLVED.sub(HOLE, node.text)


def called(node: yaml.Node) -> tuple[str, yaml.Node] | None:
    """
    Return the intrinsic function that a node calls, without ``Fn::``, and its argument; ``None``: it calls none.
    """
    if node.tag is not None and node.tag.startswith("!") and len(node.tag) > 1:
        # The argument is the same node without its tag.
        match node:
            case yaml.Scalar():
                return node.tag[1:], yaml.Scalar(node.text, node.plain, None, node.start, node.end)
            case yaml.Sequence():
                return node.tag[1:], yaml.Sequence(node.items, None, node.start, node.end)
            case yaml.Mapping():
                return node.tag[1:], yaml.Mapping(node.pairs, None, node.block, node.start, node.end)
    if isinstance(node, yaml.Mapping) and len(node.pairs) == 1:
        key, argument = node.pairs[0]
        if isinstance(key, yaml.Scalar) and (key.text.startswith("Fn::") or key.text in ("Ref", "Condition")):
            return key.text.removeprefix("Fn::"), argument
    return None


def parameters(document: yaml.Document, section: yaml.Mapping | None) -> tuple[Parameter, ...]:
    """
    Read a template's ``Parameters``.
    """
    found = []
    for key, definition in section if section is not None else ():
        if not isinstance(definition, yaml.Mapping):
            continue
        default, kind, hidden = definition.get("Default"), definition.get("Type"), definition.get("NoEcho")
        value = None
        if isinstance(default, yaml.Scalar):
            elsewhere = isinstance(kind, yaml.Scalar) and kind.text.startswith(_ELSEWHERE)
            value = Value(None if elsewhere else literal(default), document.at(default))
        secret = isinstance(hidden, yaml.Scalar) and hidden.text.lower() == "true"
        found.append(Parameter(key.text, value, document.at(key), secret))
    return tuple(found)


def texts(values: Values, root: yaml.Node, wanted: re.Pattern[str]) -> Iterator[Value]:
    """
    Yield the values anywhere in a template that contain a text.
    """
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.Scalar) or called(node) is not None:
            value = values.of(node)
            if value is not None and value.text is not None:
                if wanted.search(value.text):
                    yield value
                continue
        if isinstance(node, yaml.Mapping):
            waiting.extend(value for _, value in reversed(node.pairs))
        elif isinstance(node, yaml.Sequence):
            waiting.extend(reversed(node.items))


def _named(argument: yaml.Node) -> Iterator[str]:
    # `!GetAtt Group.GroupId`, `Fn::GetAtt: [Group, GroupId]`, `!If [InVpc, ...]`: the first name.
    if isinstance(argument, yaml.Sequence) and argument.items:
        argument = argument.items[0]
    if isinstance(argument, yaml.Scalar):
        yield argument.text.partition(".")[0]
