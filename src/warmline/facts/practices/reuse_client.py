"""
reuse-client: one client for as long as the environment lives.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="reuse-client",
    title="Create the client once per execution environment and reuse it",
    why=(
        "A client that is made in the handler opens its connections anew on every call, "
        "which is slow and, while such clients live, uses up the cluster's connections. "
        "A client that is closed at the end of the handler fails the "
        "next warm call: PyMongo 4 and later raises InvalidOperation."
    ),
    sources=(sources.ATLAS_LAMBDA, sources.AWS_ENVIRONMENT),
    runtime=Filled(("warmline.connect",)),
    rules=Filled(("WL101", "WL102")),
    experiment=Filled(("reuse-client", "peers")),
    page=Filled(("docs/practices/reuse-client.md",)),
)
