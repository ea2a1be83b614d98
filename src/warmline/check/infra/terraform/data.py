"""
What Terraform's expressions come to, as far as the files tell it.

What is not known is a :class:`~warmline.check.values.Value` without a text, or a list or record that is not complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ...location import Location
from ...values import Value


@dataclass(frozen=True, slots=True)
class Items:
    """
    A list, a set, or the blocks of one kind.

    :param complete: whether those are all.
    """

    items: tuple[Data, ...]
    location: Location
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Fields:
    """
    An object, a map or a block.

    :param complete: whether those are all.
    """

    fields: Mapping[str, Data]
    location: Location
    complete: bool = True

    def get(self, name: str) -> Data | None:
        """
        Return a field; ``None``: it is not set, or null.
        """
        data = self.fields.get(name)
        return None if isinstance(data, Value) and data.text == "null" else data

    def value(self, name: str) -> Value | None:
        """
        Return a field that holds a text or a number.
        """
        data = self.get(name)
        return data if data is None or isinstance(data, Value) else Value(None, data.location)

    def values(self, name: str) -> tuple[Value, ...]:
        """
        Return the members of a field that holds a list.
        """
        data = self.get(name)
        if data is None:
            return ()
        members = data.items if isinstance(data, Items) else (data,)
        found = tuple(each if isinstance(each, Value) else Value(None, each.location) for each in members)
        complete = not isinstance(data, Items) or data.complete
        return found if complete else (*found, Value(None, data.location))

    def each(self, name: str) -> Iterator[Fields]:
        """
        Yield the blocks of one kind, or the objects of a list that is written in their place.
        """
        data = self.get(name)
        for member in data.items if isinstance(data, Items) else (data,):
            if isinstance(member, Fields):
                yield member

    def first(self, name: str) -> Fields | None:
        """
        Return the only block of a kind.
        """
        return next(self.each(name), None)

    def known(self, name: str) -> bool:
        """
        Tell whether all is known of which blocks of a kind there are; that there is none is known as well.
        """
        data = self.get(name)
        if data is None:
            return self.complete
        members = data.items if isinstance(data, Items) else (data,)
        whole = not isinstance(data, Items) or data.complete
        return whole and all(isinstance(member, Fields) and member.complete for member in members)


Data = Value | Items | Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """
    One resource, or one call of a module that is not among the files.

    :param kind: ``aws_lambda_function``; of a module ``module``.
    :param address: as references name it, with the modules that it stands in: ``module.api.aws_lambda_function.f``.
    :param conditional: whether a count or a set that is not known decides if it is there.
    :param inside: where an attribute can be added.
    """

    kind: str
    name: str
    address: str
    body: Fields
    location: Location
    data: bool = False
    conditional: bool = False
    inside: Location | None = None
    indent: int = 0


def of(resources: Iterable[Resource], *kinds: str) -> Iterator[Resource]:
    """
    Yield the resources of some kinds.
    """
    return (resource for resource in resources if resource.kind in kinds and not resource.data)


def refers(value: Value | None, address: str) -> bool:
    """
    Tell whether a value is made of a resource's attributes.
    """
    return value is not None and value.reads(address)
