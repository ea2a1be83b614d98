"""
What a scenario is made of: functions with their load, the cluster that they use, and what happens meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..atlas import AtlasSpec
from ..aws import FunctionSpec
from ..load import Load
from .events import ScenarioEvent


@dataclass(frozen=True, slots=True)
class LoadedFunction:
    """
    One function and its load; ``payload`` is the event of each invocation, and ``notes`` say how it differs from its
    template.

    ``spec`` is without what only a running cluster knows: the connection string, for which its environment has
    ``own.URI``, and an IAM role's credentials.
    """

    spec: FunctionSpec
    loads: tuple[Load, ...]
    payload: bytes = b"{}"
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """
        The function's name, which its connections carry too.
        """
        return self.spec.name


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    What runs together on one cluster. ``command`` is how a person has asked for it.
    """

    name: str
    title: str
    functions: tuple[LoadedFunction, ...]
    cluster: AtlasSpec
    command: str
    events: tuple[ScenarioEvent, ...] = ()
