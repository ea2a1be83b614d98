"""
The first versions of the drivers that know that they run on Lambda, and poll their servers there.

An older one streams: a second connection to every member, and after a thaw a monitor that waits for answers to
questions from before the freeze.

Source: https://github.com/mongodb/specifications/, source/server-discovery-and-monitoring/server-monitoring.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Driver:
    """
    One driver's package.

    :param language: as the checker names it.
    :param package: as manifests call it.
    :param polls_since: the first version of which ``serverMonitoringMode`` is ``auto``.
    """

    language: str
    package: str
    polls_since: tuple[int, int]
    source: str


DRIVERS = (
    Driver(
        "python",
        "pymongo",
        (4, 5),
        "https://pymongo.readthedocs.io/en/stable/api/pymongo/mongo_client.html",
    ),
    Driver("javascript", "mongodb", (6, 3), "https://github.com/mongodb/node-mongodb-native/releases/tag/v6.3.0"),
    Driver("go", "go.mongodb.org/mongo-driver", (1, 13), "https://jira.mongodb.org/browse/GODRIVER-2810"),
)
