"""
limit-hosts: a few mongos instead of all.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="limit-hosts",
    title="Connect to three mongos of a sharded cluster, not to all",
    why=(
        "A ten-shard cluster has 30 mongos, and a driver connects "
        "to all of them unless srvMaxHosts says otherwise. "
        "The option needs mongodb+srv:// and a sharded cluster: with replicaSet, from the URI "
        "or from the DNS TXT record, or with loadBalanced=true the driver raises an error."
    ),
    sources=(sources.ATLAS_LAMBDA, sources.SPEC_SRV),
    runtime=Filled(("option:srvMaxHosts",)),
    rules=Filled(("WL131", "WL132")),
    experiment=Filled(("limit-hosts",)),
    page=Filled(("docs/practices/limit-hosts.md",)),
)
