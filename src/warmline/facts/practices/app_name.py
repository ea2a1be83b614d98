"""
app-name: whose connections these are.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import DoesNotApply, Filled, NotYet
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="app-name",
    title="Name the connections",
    why=(
        "The application name is sent with the first message of every connection and stands beside it "
        "in the server's log and in currentOp, so that an operator sees which function it belongs to."
    ),
    sources=(sources.SPEC_HANDSHAKE, sources.PYMONGO_CLIENT),
    runtime=Filled(("option:appName",)),
    rules=NotYet(),
    experiment=DoesNotApply("A name changes neither how many connections there are nor how fast they are."),
    page=Filled(("docs/practices/app-name.md",)),
)
