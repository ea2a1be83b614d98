"""
The resources of one template.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...location import Location
from ...values import Value
from .. import yaml
from .intrinsics import Values, called


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """
    One resource.

    :param kind: its ``Type``.
    :param key: its logical id, where it stands.
    :param own: its ``Properties``; empty where they are none that can be read.
    :param body: all of it.
    """

    values: Values
    kind: str
    key: yaml.Scalar
    own: yaml.Mapping
    body: yaml.Mapping

    @property
    def name(self) -> str:
        """
        Its logical id.
        """
        return self.key.text

    @property
    def location(self) -> Location:
        """
        Where its logical id stands.
        """
        return self.values.document.at(self.key)

    @property
    def conditional(self) -> bool:
        """
        Whether a condition decides if it is there.
        """
        return self.body.get("Condition") is not None

    def value(self, name: str) -> Value | None:
        """
        Return a property's value; ``None``: it is not set.
        """
        return self.values.of(self.own.get(name))

    def all(self, name: str) -> tuple[Value, ...]:
        """
        Return the members of a property that is a list.
        """
        return self.values.all(self.own.get(name))

    def each(self, name: str) -> Iterator[yaml.Mapping]:
        """
        Yield the members of a property that is a list of mappings.
        """
        members = self.own.get(name)
        for member in members.items if isinstance(members, yaml.Sequence) else ():
            if isinstance(member, yaml.Mapping):
                yield member

    def refers_to(self, name: str, others: Iterable[Resource]) -> bool:
        """
        Tell whether a property names one of some other resources.
        """
        value = self.value(name)
        return value is not None and any(other.name in value.names for other in others)


def resources(values: Values, section: yaml.Mapping) -> tuple[Resource, ...]:
    """
    Read a template's ``Resources``.
    """
    found = []
    for key, body in section:
        kind = body.get("Type") if isinstance(body, yaml.Mapping) else None
        if isinstance(body, yaml.Mapping) and isinstance(kind, yaml.Scalar):
            own = body.mapping("Properties")
            if own is None or called(own) is not None:
                own = yaml.Mapping([], None, block=False, start=key.start, end=key.end)
            found.append(Resource(values, kind.text, key, own, body))
    return tuple(found)


def of(resources: Iterable[Resource], *kinds: str) -> Iterator[Resource]:
    """
    Yield those of some kinds.
    """
    return (resource for resource in resources if resource.kind in kinds)
