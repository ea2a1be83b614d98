"""
one-loop: async handlers.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="one-loop",
    title="Keep one event loop per environment",
    why=(
        "An AsyncMongoClient belongs to the event loop that it first ran in. "
        "asyncio.run() makes a new loop for every invocation, so a "
        "client at module level fails from the second invocation on."
    ),
    sources=(sources.PYMONGO_ONE_LOOP,),
    runtime=Filled(("warmline.connect_async", "warmline.event_loop", "warmline.handler")),
    rules=Filled(("WL111",)),
    experiment=Filled(("async-loop",)),
    page=Filled(("docs/practices/one-loop.md",)),
)
