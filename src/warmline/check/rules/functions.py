"""
What rules about a template's functions have in common.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ..finding import Confidence
from ..infra.facts import Function, Kind
from ..location import Location
from ..values import Value

# One vCPU; a smaller function has its share: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
VCPU_MB = 1769

MEMORY: Mapping[Kind, str] = {
    "sam": "MemorySize",
    "cloudformation": "MemorySize",
    "serverless": "memorySize",
    "terraform": "memory_size",
    "live": "MemorySize",
}

_MOST_NAMES = 3


def by_place(places: Iterable[tuple[Location, Function]]) -> Mapping[Location, list[Function]]:
    """
    Group functions by the place of a property: several may inherit one.
    """
    found: dict[Location, list[Function]] = defaultdict(list)
    for location, function in places:
        found[location].append(function)
    return found


def named(functions: list[Function]) -> str:
    """
    Name functions, not too many.
    """
    names = [function.name for function in functions]
    more = len(names) - _MOST_NAMES
    return f"{', '.join(names[:_MOST_NAMES])} and {more} more" if more > 0 else ", ".join(names)


def certainty(value: Value) -> Confidence:
    """
    A parameter's default may be replaced when it is deployed.
    """
    return Confidence.MEDIUM if value.names else Confidence.HIGH
