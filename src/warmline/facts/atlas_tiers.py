"""
How many connections a MongoDB Atlas cluster on AWS takes, by tier.

Azure and Google Cloud have numbers of their own. Atlas keeps some connections of every node for itself: 10 in the
example of its documentation, which elsewhere says only "a small number".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

SOURCE = "https://www.mongodb.com/docs/atlas/reference/atlas-limits/"
# M0 and Flex have their own pages, with the same "500 connections".
SOURCE_M0 = "https://www.mongodb.com/docs/atlas/reference/free-shared-limitations/"
SOURCE_FLEX = "https://www.mongodb.com/docs/atlas/reference/flex-limitations/"
# Read as text in mongodb/docs, content/atlas/source/reference/: commits 016522d6, 03aba091 (M0), 19e4074c (Flex).
READ_ON = "2026-11-23"

Cpu = Literal["general", "low"]


class UnknownTierError(LookupError):
    """
    The table has no such tier in this CPU class.
    """


@dataclass(frozen=True, slots=True)
class AtlasTier:
    """
    The limits of one tier.

    :param cpu: the class of the machines; Atlas's API writes the low-CPU ones ``R40``, its tables ``M40``.
    :param connections_per_node: open connections at once, on each node (on each mongos of a sharded cluster).
    :param new_connections_per_second: per node. More are queued and, if it goes on, dropped; ``None``: no limit.
    :param counted: ``"cluster"`` where ``connections_per_node`` is the limit of all nodes together (M0, Flex).
    """

    name: str
    cpu: Cpu
    connections_per_node: int
    new_connections_per_second: int | None = None
    counted: Literal["node", "cluster"] = "node"


TIERS = (
    AtlasTier("M0", "general", 500, counted="cluster"),
    AtlasTier("Flex", "general", 500, counted="cluster"),
    AtlasTier("M10", "general", 1_500, new_connections_per_second=15),
    AtlasTier("M20", "general", 3_000, new_connections_per_second=15),
    AtlasTier("M30", "general", 3_000),
    AtlasTier("M40", "general", 6_000),
    AtlasTier("M50", "general", 16_000),
    AtlasTier("M60", "general", 32_000),
    AtlasTier("M80", "general", 96_000),
    AtlasTier("M140", "general", 96_000),
    AtlasTier("M200", "general", 128_000),
    AtlasTier("M300", "general", 128_000),
    AtlasTier("M40", "low", 4_000),
    AtlasTier("M50", "low", 16_000),
    AtlasTier("M60", "low", 32_000),
    AtlasTier("M80", "low", 64_000),
    AtlasTier("M140", "low", 96_000),
    AtlasTier("M200", "low", 128_000),
    AtlasTier("M300", "low", 128_000),
    AtlasTier("M400", "low", 128_000),
    AtlasTier("M700", "low", 128_000),
)


def tier(name: str, cpu: Cpu = "general") -> AtlasTier:
    """
    Look up a tier on AWS by the name that Atlas shows (``M10``).

    :raises UnknownTierError: there is none of that name in that CPU class.
    """
    for candidate in TIERS:
        if (candidate.name, candidate.cpu) == (name, cpu):
            return candidate
    known = " and ".join(
        f"{', '.join(known.name for known in TIERS if known.cpu == known_cpu)} ({known_cpu} CPU)"
        for known_cpu in get_args(Cpu)
    )
    raise UnknownTierError(f"Atlas has no tier {name!r} with {cpu} CPU on AWS; it has {known}")
