"""
connection-budget: fleet times connections against the tier.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import DoesNotApply, Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="connection-budget",
    title="Fit the fleet's connections into the tier",
    why=(
        "Every live environment holds 1 + c connections on the primary "
        "and one on each secondary, c being its operations at once. "
        "The tier limits the sum per node: 1,500 on an M10. "
        "M10 and M20 also admit only 15 new connections per second and node."
    ),
    sources=(sources.ATLAS_LIMITS, sources.SPEC_MONITORING),
    runtime=DoesNotApply("One environment can't see how many others share the cluster."),
    rules=Filled(("WL221",)),
    experiment=Filled(("budget", "serverless-benchmark")),
    page=Filled(("docs/practices/connection-budget.md",)),
)
