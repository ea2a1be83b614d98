"""
app-name: whose connections these are.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import DoesNotApply, Filled
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
    rules=DoesNotApply("A connection without a name works as well; a finding in every function would be noise."),
    experiment=DoesNotApply("A name changes neither how many connections there are nor how fast they are."),
    page=Filled(("docs/practices/app-name.md",)),
)
