"""
close-at-shutdown: connections given back when the environment ends.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import DoesNotApply, Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="close-at-shutdown",
    title="Give the connections back when the environment ends",
    why=(
        "An environment that is reclaimed says nothing to the server, which holds "
        "its connections until keepalive gives up: 10 to 15 minutes, users report. "
        "Lambda sends the runtime a SIGTERM only if an "
        "extension is registered, and leaves it 300 to 500 ms."
    ),
    sources=(sources.AWS_ENVIRONMENT, sources.AWS_SHUTDOWN_SAMPLE),
    runtime=Filled(("warmline.connect",)),
    rules=DoesNotApply(
        "What an environment leaves behind is decided when it ends: neither code nor a template shows it."
    ),
    experiment=Filled(("shutdown", "deploy")),
    page=Filled(("docs/practices/close-at-shutdown.md",)),
)
