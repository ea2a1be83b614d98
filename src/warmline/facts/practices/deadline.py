"""
deadline: errors before Lambda's timeout.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="deadline",
    title="Bound every operation by the invocation's remaining time",
    why=(
        "PyMongo looks for a server for 30 s, and a function's timeout is 3 s by "
        "default: Lambda ends the invocation before the driver can say what is wrong. "
        "pymongo.timeout() bounds whole operations, and one inside another can only shorten the time."
    ),
    sources=(sources.AWS_TIMEOUT, sources.PYMONGO_TIMEOUT, sources.SPEC_TIMEOUT),
    runtime=Filled(
        ("warmline.handler", "warmline.invocation", "option:serverSelectionTimeoutMS", "option:connectTimeoutMS")
    ),
    rules=Filled(("WL201",)),
    experiment=Filled(("deadline", "fault-matrix")),
    page=Filled(("docs/practices/deadline.md",)),
)
