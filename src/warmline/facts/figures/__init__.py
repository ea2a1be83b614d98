"""
What breaking a practice costs, measured: one run of each experiment, in a file each.

The files are JSON as ``warmline lab run --json`` writes it, without what is sampled over time; ``make figures`` makes
them from the last ``make experiments``. They are read when they are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmline.facts.places import Filled
from warmline.facts.practices import practice

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Measured:
    """
    One run: what came out, in a sentence, and all that was measured (``document``).
    """

    experiment: str
    answer: str
    seconds: float
    document: Mapping[str, Any]

    @property
    def where(self) -> str:
        """
        The machine, the versions that matter and the day, as one reads them below a table.
        """
        machine, versions = self.document["machine"], self.document["versions"]
        return (
            f"{machine['cores']} cores, {machine['memory_gib']:.0f} GiB, {machine['system']} on "
            f"{machine['architecture']}, Python {versions['python']}, PyMongo {versions['pymongo']}, "
            f"mongod {versions['mongod']}, {self.document['date'][:10]}"
        )


def costs(practice_id: str) -> tuple[Measured, ...]:
    """
    The runs of those experiments that measure what breaking a practice costs.

    :raises UnknownPracticeError: there is no such practice.
    """
    place = practice(practice_id).experiment
    names = place.names if isinstance(place, Filled) else ()
    return tuple(run for run in map(measured, names) if run is not None)


def measured(experiment: str) -> Measured | None:
    """
    Look an experiment's run up by the experiment's name; ``None`` if there is none yet.
    """
    try:
        document = json.loads((FOLDER / f"{experiment}.json").read_bytes())
    except FileNotFoundError:
        return None
    return Measured(document["experiment"], document["answer"], document["seconds"], document)
