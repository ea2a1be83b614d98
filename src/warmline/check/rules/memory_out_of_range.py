"""
WL192: a memory size that Lambda does not take.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Finding, Severity
from ..infra.facts import Function
from ..location import Location
from ..project import Project
from .functions import MEMORY, by_place, certainty, named
from .rule import Rule

_LOWEST_MB, _HIGHEST_MB = 128, 10_240
_LOWEST_MANAGED_MB, _HIGHEST_MANAGED_MB = 2_048, 32_768


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts in project.infra:
        for location, functions in by_place(_outside(facts.functions)).items():
            memory, (low, high) = functions[0].memory_mb, _range(functions[0])
            if memory is None:
                continue
            kind = "a function on managed instances" if functions[0].managed_instances else "a function"
            yield rule.finding(
                location,
                f"{named(functions)}: {memory.text} MB of memory, and Lambda takes {low:,} to {high:,} MB for {kind}: "
                "the deployment fails",
                remedy=f"set {MEMORY[facts.kind]} to a number of megabytes between {low} and {high}",
                confidence=certainty(memory),
            )


def _outside(functions: tuple[Function, ...]) -> Iterator[tuple[Location, Function]]:
    for function in functions:
        memory = function.memory_mb
        low, high = _range(function)
        if memory is not None and memory.number is not None and not low <= memory.number <= high:
            yield memory.location, function


def _range(function: Function) -> tuple[int, int]:
    if function.managed_instances:
        return _LOWEST_MANAGED_MB, _HIGHEST_MANAGED_MB
    return _LOWEST_MB, _HIGHEST_MB


RULE = Rule(
    id="WL192",
    name="memory-out-of-range",
    summary="A function's memory is outside of what Lambda takes.",
    practice="memory",
    severity=Severity.ERROR,
    reads=("sam", "cloudformation", "serverless", "terraform"),
    why=(
        "Lambda takes 128 to 10,240 MB, and 2,048 to 32,768 MB on managed instances. Anything else is refused when "
        "the function is deployed, after everything before it in the template has been made."
    ),
    fix="Set the memory in megabytes, within the range.",
    sources=(sources.AWS_MEMORY, sources.AWS_MANAGED_INSTANCES_SIZE),
    match=_match,
)
