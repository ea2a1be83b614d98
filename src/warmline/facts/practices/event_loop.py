"""
event-loop: Node.js handlers that take a callback.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import DoesNotApply, Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="event-loop",
    title="In Node.js, do not wait for an empty event loop",
    why=(
        "A Node.js handler that takes a callback ends only when the event "
        "loop is empty, and an open connection keeps it from ever being so. "
        "Async handlers are not concerned, and from Node.js 24 on Lambda runs no others."
    ),
    sources=(sources.ATLAS_LAMBDA, sources.AWS_NODEJS_HANDLER, sources.AWS_NODEJS_24),
    runtime=DoesNotApply(
        "callbackWaitsForEmptyEventLoop is a setting of Node.js handlers; the runtime library is for Python."
    ),
    rules=Filled(("WL121",)),
    experiment=Filled(("event-loop",)),
    page=Filled(("docs/practices/event-loop.md",)),
)
