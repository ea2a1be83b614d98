"""
What rules about access lists have in common.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from ..finding import Confidence, Step
from ..infra.facts import AccessEntry
from ..project import Project
from .functions import certainty

Range = ipaddress.IPv4Network | ipaddress.IPv6Network


def ranges(project: Project) -> Iterator[tuple[AccessEntry, Range]]:
    """
    Yield the entries of all access lists that are a known address or range.
    """
    for facts in project.infra:
        for entry in facts.access_entries:
            if entry.address.text is None:
                continue
            try:
                yield entry, ipaddress.ip_network(entry.address.text.strip(), strict=False)
            except ValueError:
                # A security group's id, or nothing that Atlas takes.
                continue


def entry_confidence(entry: AccessEntry) -> Confidence:
    """
    A parameter's default may be replaced, and a condition may leave the entry out.
    """
    return Confidence.MEDIUM if entry.conditional else certainty(entry.address)


def way_to(entry: AccessEntry) -> tuple[Step, ...]:
    """
    Return where the entry is, if its address stands elsewhere.
    """
    elsewhere = entry.location.path != entry.address.location.path or entry.address.names
    return (Step("the entry of the access list", entry.location),) if elsewhere else ()
