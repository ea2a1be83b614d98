"""
private-network: VPC peering or PrivateLink.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import DoesNotApply, Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="private-network",
    title="Connect over a private network",
    why=(
        "Over VPC peering or a private endpoint the cluster's "
        "access list needs private addresses only, or none. "
        "Both need a dedicated tier. "
        "A private endpoint has one port per node, anywhere from 1024 to 65535 "
        "and free to change, so security groups must allow the whole range."
    ),
    sources=(sources.ATLAS_LAMBDA, sources.ATLAS_PEERING, sources.ATLAS_PRIVATE_ENDPOINT),
    runtime=DoesNotApply("The route is set up in AWS and Atlas, before any code of the function runs."),
    rules=Filled(("WL181", "WL182", "WL183")),
    experiment=Filled(("access-list",)),
    page=Filled(("docs/practices/private-network.md",)),
)
