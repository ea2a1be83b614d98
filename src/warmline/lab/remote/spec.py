"""
What is run against functions that are deployed already, and what was seen of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..experiments.result import Metric
from ..load import Call, Load
from ..measure import ConnectionSample
from .client import Where


@dataclass(frozen=True, slots=True)
class RemoteVariant:
    """
    One function: what it is called in results, what people read, and its name or ARN.
    """

    name: str
    label: str
    function: str


@dataclass(frozen=True, slots=True)
class RemoteRun:
    """
    The same load for each of some functions, one after the other.

    ``metrics`` are shown of what can be measured. Without a ``cluster_uri``, a secret, no connections are counted.
    """

    name: str
    title: str
    variants: tuple[RemoteVariant, ...]
    loads: tuple[Load, ...]
    metrics: tuple[Metric, ...]
    command: str
    payload: bytes = b"{}"
    where: Where = field(default_factory=Where)
    cluster_uri: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What one variant's callers and the cluster's nodes saw; ``started`` is on the monotonic clock, and the load was
    over ``loaded`` seconds later.

    ``before`` and ``at_rest`` are samples by node, and ``samples`` all since the start, in their order.
    """

    variant: RemoteVariant
    calls: tuple[Call, ...]
    started: float
    loaded: float
    before: Mapping[str, ConnectionSample]
    at_rest: Mapping[str, ConnectionSample]
    samples: tuple[ConnectionSample, ...]


def function_name(function: str) -> str:
    """
    The name in an ARN or the end of one, without a qualifier.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (``FunctionName``)
    """
    _, found, name = function.rpartition("function:")
    return (name if found else function).partition(":")[0]
