"""
What rules about a client's options have in common.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..finding import Confidence
from ..project import Project
from ..source.facts import Client, CodeFacts
from ..uri import defaulted
from ..usage import in_functions
from ..values import Value

# How the drivers call the option that a connection string calls maxIdleTimeMS, set to a minute.
MINUTE_OF_IDLING: Mapping[str, str] = {
    "python": "maxIdleTimeMS=60000",
    "javascript": "maxIdleTimeMS: 60000",
    "typescript": "maxIdleTimeMS: 60000",
    "go": "SetMaxConnIdleTime(time.Minute)",
    "java": "maxConnectionIdleTime(60, TimeUnit.SECONDS)",
    "csharp": "MaxConnectionIdleTime = TimeSpan.FromMinutes(1)",
    "ruby": "max_idle_time: 60",
    "rust": "max_idle_time = Some(Duration::from_secs(60))",
}


def clients(project: Project) -> Iterator[tuple[CodeFacts, Client, Confidence]]:
    """
    Yield every client, and how sure it is that it runs in a function: scripts and servers have other options.
    """
    used = in_functions(project)
    for facts in project.code:
        for client in facts.clients:
            yield facts, client, Confidence.HIGH if facts.path in used else Confidence.LOW


def sure(value: Value, confidence: Confidence) -> Confidence:
    """
    Lower the confidence where the environment may have another value than the one that stands in the code.
    """
    return Confidence.LOW if defaulted(value) else confidence
