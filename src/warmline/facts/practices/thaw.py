"""
thaw: the first operation after a freeze.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="thaw",
    title="Survive a thaw without a hang",
    why=(
        "After minutes of freeze the way to the server may be gone without a sign: a Network Load "
        "Balancer forgets a flow that was idle for 350 s, and a frozen environment sends no keepalive. "
        "PyMongo reads without a time limit by default, so the first "
        "operation on such a connection hangs until the monitor notices."
    ),
    sources=(sources.AWS_ENVIRONMENT, sources.AWS_IDLE_FLOWS, sources.AWS_VPC_TIMEOUTS, sources.SPEC_MONITORING),
    runtime=Filled(("warmline.connect", "warmline.handler")),
    rules=Filled(("WL232",)),
    experiment=Filled(("thaw", "fault-matrix")),
    page=Filled(("docs/practices/thaw.md",)),
)
