"""
All that is known of the files that are checked together.
"""

from __future__ import annotations

from dataclasses import dataclass

from .infra.facts import InfraFacts
from .source.facts import CodeFacts


@dataclass(frozen=True, slots=True)
class Project:
    """
    The facts that rules look at: of every code file and of every template, and which belong together.
    """

    code: tuple[CodeFacts, ...] = ()
    infra: tuple[InfraFacts, ...] = ()
