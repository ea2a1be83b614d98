"""
narrow-access-list: one Elastic IP instead of 0.0.0.0/0.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import DoesNotApply, Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="narrow-access-list",
    title="List one address, not the internet",
    why=(
        "An entry 0.0.0.0/0 lets the whole internet try the cluster's credentials. "
        "A function that leaves its VPC by a NAT gateway with an Elastic IP has one address to list. "
        "Atlas e-mails every user of the project about any IPv4 entry that ends in /0."
    ),
    sources=(sources.ATLAS_LAMBDA, sources.ATLAS_ACCESS_LIST, sources.AWS_NAT_GATEWAY),
    runtime=DoesNotApply("The access list is a setting of the Atlas project, out of the function's reach."),
    rules=Filled(("WL171", "WL172")),
    experiment=Filled(("access-list",)),
    page=Filled(("docs/practices/narrow-access-list.md",)),
)
