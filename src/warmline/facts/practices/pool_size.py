"""
pool-size: no minimum, a small maximum.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="pool-size",
    title="Keep no minimum of connections, and a small maximum",
    why=(
        "An environment serves one request at a time, so one "
        "connection is enough for a handler without threads. "
        "minPoolSize counts for every member of the replica set: 5 makes 18 "
        "connections per environment on three members, monitors included."
    ),
    sources=(sources.SPEC_POOLING, sources.SPEC_MONITORING),
    runtime=Filled(("option:maxPoolSize",)),
    rules=Filled(("WL151",)),
    experiment=Filled(("pool-size",)),
    page=Filled(("docs/practices/pool-size.md",)),
)
