"""
snapstart: nothing live in a snapshot.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="snapstart",
    title="With SnapStart, close before the snapshot and reconnect after the restore",
    why=(
        "A snapshot keeps no connection alive, and every environment restored from it starts "
        "with the same server sessions, in which the server takes one environment's write for the "
        "repetition of another's, and with the same random state, so that all draw the same mongos. "
        "The role's credentials come from AWS_CONTAINER_CREDENTIALS_FULL_URI "
        "then, not from the access key variables."
    ),
    sources=(sources.AWS_SNAPSTART_UNIQUENESS, sources.AWS_SNAPSTART_CREDENTIALS, sources.SPEC_RETRYABLE_WRITES),
    runtime=Filled(("warmline.connect",)),
    rules=Filled(("WL251",)),
    experiment=Filled(("snapstart",)),
    page=Filled(("docs/practices/snapstart.md",)),
)
