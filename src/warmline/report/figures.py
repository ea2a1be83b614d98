"""
A result as the figures that the documentation and the rules quote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .document import to_document

if TYPE_CHECKING:
    from ..lab.experiments.result import ExperimentResult

# What a chart needs, and no sentence or table does.
_SAMPLED = ("series", "environments", "latencies", "waits", "events")


def to_figures(result: ExperimentResult) -> dict[str, Any]:
    """
    The document without what was sampled, and the system without its release.
    """
    document = {name: value for name, value in to_document(result).items() if name not in _SAMPLED}
    system = str(document["machine"].get("system", ""))
    return {**document, "machine": {**document["machine"], "system": system.partition(" ")[0]}}
