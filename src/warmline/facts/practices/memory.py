"""
memory: memory is CPU.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import DoesNotApply, Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="memory",
    title="Give the function enough memory",
    why=(
        "Lambda's default is its minimum, 128 MB, and it gives "
        "CPU in proportion to memory: one vCPU at 1,769 MB. "
        "Imports, the TLS handshake and authentication are computing, so a small function connects slowly."
    ),
    sources=(sources.ATLAS_LAMBDA, sources.AWS_MEMORY, sources.AWS_COMPUTING_POWER),
    runtime=DoesNotApply("Memory is set on the function from outside."),
    rules=Filled(("WL191", "WL192")),
    experiment=Filled(("memory",)),
    page=Filled(("docs/practices/memory.md",)),
)
