"""
connect-at-init: connected before the first request.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="connect-at-init",
    title="Open the connection during Init",
    why=(
        "PyMongo 4.9 and later opens nothing when a client is made on Lambda: the first request "
        "pays for DNS, TCP, TLS and authentication, and a wrong setting shows only there. "
        "Init may take 10 s."
    ),
    sources=(sources.PYMONGO_FAAS_CONNECT, sources.PYMONGO_CLIENT, sources.AWS_ENVIRONMENT),
    runtime=Filled(("warmline.connect",)),
    rules=Filled(("WL231",)),
    experiment=Filled(("connect-at-init", "cold-start")),
    page=Filled(("docs/practices/connect-at-init.md",)),
)
