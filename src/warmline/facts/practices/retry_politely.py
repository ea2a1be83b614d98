"""
retry-politely: no storm of retries.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import DoesNotApply, Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="retry-politely",
    title="Back off with jitter when the cluster refuses",
    why=(
        "Environments that were refused at the same moment and "
        "retry after the same pause arrive together again. "
        "On M10 and M20 new connections beyond 15 per second and node "
        "are queued and then dropped, so such a storm feeds itself."
    ),
    sources=(sources.SPEC_BACKPRESSURE, sources.ATLAS_LIMITS),
    runtime=Filled(("warmline.connect", "warmline.handler")),
    rules=DoesNotApply("How a driver comes back after a refusal is the driver's own; no option in the code says it."),
    experiment=Filled(("storm",)),
    page=Filled(("docs/practices/retry-politely.md",)),
)
