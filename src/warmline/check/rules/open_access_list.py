"""
WL171: an access list that lets everybody in.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Finding, Severity
from ..project import Project
from .addresses import entry_confidence, ranges, way_to
from .rule import Rule


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for entry, network in ranges(project):
        if network.prefixlen == 0:
            yield rule.finding(
                entry.address.location,
                f"the access list takes connections from {network}, the whole internet: what is left between it and "
                "the data are the database users' credentials",
                remedy="list the Elastic IP of the NAT gateway that the functions go out by (/32), or the range of a "
                "peered VPC, and take this entry out",
                confidence=entry_confidence(entry),
                path=way_to(entry),
            )


RULE = Rule(
    id="WL171",
    name="open-access-list",
    summary="An Atlas access list lets the whole internet in.",
    practice="narrow-access-list",
    severity=Severity.ERROR,
    reads=("sam", "cloudformation", "terraform"),
    why=(
        "With `0.0.0.0/0` or `::/0` everybody on the internet can try the database users' credentials. A function "
        "outside a VPC has no address of its own, and that is what tempts to it. What it costs is exposure, which is "
        "no time or count that a lab could measure. Atlas e-mails every user of the project about such an entry."
    ),
    fix=(
        "Put the functions into private subnets with a NAT gateway that has an Elastic IP and list that address, or "
        "use VPC peering or a private endpoint."
    ),
    sources=(sources.ATLAS_LAMBDA, sources.ATLAS_ACCESS_LIST, sources.AWS_NAT_GATEWAY),
    match=_match,
)
