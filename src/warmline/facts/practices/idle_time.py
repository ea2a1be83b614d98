"""
idle-time: no reuse of connections that idled for a minute.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="idle-time",
    title="Do not reuse a connection that was idle for a minute",
    why=(
        "With maxIdleTimeMS=60000 the driver replaces a pooled connection that was idle for a "
        "minute instead of using it, so that none is used whose path was lost during a freeze. "
        "A frozen environment closes nothing, so the cluster sees as many connections as before. "
        "Monitor connections are exempt."
    ),
    sources=(sources.ATLAS_LAMBDA, sources.SPEC_POOLING),
    runtime=Filled(("option:maxIdleTimeMS",)),
    rules=Filled(("WL141", "WL142")),
    experiment=Filled(("idle-time", "thaw")),
    page=Filled(("docs/practices/idle-time.md",)),
)
