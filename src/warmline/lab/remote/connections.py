"""
Which of a cluster's connections are a function's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..measure import UNNAMED, ConnectionSample
from .spec import Seen, function_name


@dataclass(frozen=True, slots=True)
class Connections:
    """
    A function's own connections, told from those of others in one of three ways.

    ``apps`` are what they call themselves; without any, what a node has more than ``before`` is taken for them.
    """

    apps: frozenset[str]
    before: Mapping[str, ConnectionSample]

    def count(self, sample: ConnectionSample) -> int:
        """
        How many of them were open on the sample's node.
        """
        if self.apps:
            return sum(sample.by_app.get(app, 0) for app in self.apps)
        return max(0, sample.current - self.before[sample.node].current) if sample.node in self.before else 0

    def total(self, samples: Iterable[ConnectionSample]) -> int:
        """
        How many of them were open on all of these nodes.
        """
        return sum(map(self.count, samples))


def own_connections(seen: Seen) -> Connections:
    """
    Find out which connections are a function's own.
    """
    apps = {app for sample in (*seen.before.values(), *seen.samples) for app in sample.by_app}
    name = function_name(seen.variant.function)
    mine = {app for app in apps if app == name or app.startswith(f"{name}:")}
    return Connections(frozenset(mine or ({UNNAMED} & apps)), seen.before)
