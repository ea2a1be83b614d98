"""
managed-instances: several processes in one environment.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import DoesNotApply, Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="managed-instances",
    title="On Lambda Managed Instances, count processes",
    why=(
        "One environment on Lambda Managed Instances runs a Python process for each concurrent "
        "request, 16 per vCPU by default, and each process has a client of its own."
    ),
    sources=(sources.AWS_MANAGED_INSTANCES,),
    runtime=Filled(("warmline.connect",)),
    rules=DoesNotApply(
        "Several processes are no fault by themselves; a rule on the connection budget has to count them."
    ),
    experiment=Filled(("managed-instances",)),
    page=Filled(("docs/practices/managed-instances.md",)),
)
