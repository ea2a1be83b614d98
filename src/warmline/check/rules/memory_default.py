"""
WL191: a function with Lambda's smallest memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Confidence, Edit, Finding, Fix, Severity
from ..infra.facts import Function, Kind
from ..location import Location
from ..project import Project
from ..usage import clients_of, names_mongodb
from .functions import MEMORY, VCPU_MB, by_place, certainty, named
from .rule import Rule

_SMALLEST_MB = 128

# What the way to a first answer was measured with (docs/experiments/cold-start.md).
_RAISED_MB = 512


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts in project.infra:
        for location, functions in by_place(_small(facts.functions)).items():
            with_client = [function for function in functions if clients_of(function, project)]
            concerned = with_client or [function for function in functions if names_mongodb(function)]
            if not concerned:
                continue
            memory = concerned[0].memory_mb
            what = "no memory is set, so it has" if memory is None else "memory is set to"
            yield rule.finding(
                location,
                f"{named(concerned)}: {what} {_SMALLEST_MB} MB, and with it {_SMALLEST_MB / VCPU_MB:.0%} of a vCPU "
                "for the driver's import, the TLS handshake and authentication",
                remedy=f"set {MEMORY[facts.kind]} to {_RAISED_MB} or more, and measure with two or three values",
                confidence=min(
                    Confidence.HIGH if with_client else Confidence.MEDIUM,
                    Confidence.HIGH if memory is None else certainty(memory),
                ),
                # One property of several functions may be right for the others.
                fix=_raised(functions[0], facts.kind) if len(functions) == 1 else None,
            )


def _raised(function: Function, kind: Kind) -> Fix | None:
    title = f"Set {MEMORY[kind]} to {_RAISED_MB}"
    if function.memory_mb is not None:
        literal = not function.memory_mb.names
        return Fix(title, (Edit(function.memory_mb.location, str(_RAISED_MB)),)) if literal else None
    if function.properties is None:
        return None
    separator = " = " if kind == "terraform" else ": "
    line = f"{' ' * function.indent}{MEMORY[kind]}{separator}{_RAISED_MB}\n"
    return Fix(title, (Edit(function.properties, line),))


def _small(functions: tuple[Function, ...]) -> Iterator[tuple[Location, Function]]:
    for function in functions:
        if function.managed_instances:
            continue
        if function.memory_mb is None:
            if function.default_memory_mb == _SMALLEST_MB:
                yield function.location, function
        elif function.memory_mb.number == _SMALLEST_MB:
            yield function.memory_mb.location, function


RULE = Rule(
    id="WL191",
    name="memory-default",
    summary="A function that uses MongoDB has Lambda's smallest memory, 128 MB.",
    practice="memory",
    severity=Severity.WARNING,
    reads=("sam", "cloudformation", "serverless", "terraform"),
    why=(
        "Lambda gives CPU in proportion to memory, one vCPU at 1,769 MB, so 128 MB are 7 % of one. Importing the "
        "driver, the TLS handshake and authentication are computing: the first request after a cold start waits for "
        "them, and so does each new connection. 128 MB is what CloudFormation, SAM, CDK and Terraform leave where "
        "nothing is set; the Serverless Framework sets 1,024 MB. The lab's experiment `cold-start` measures the "
        "way to the first answer with a full CPU and with the share of one that 512 MB have."
    ),
    fix="Set the function's memory to 512 MB or more and measure: twice the memory for half the time costs the same.",
    sources=(sources.ATLAS_LAMBDA, sources.AWS_MEMORY, sources.AWS_COMPUTING_POWER),
    match=_match,
)
