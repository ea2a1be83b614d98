"""
WL212: AWS's SDK asks the global STS endpoint.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Finding, Severity
from ..infra.facts import Function
from ..location import Location
from ..project import Project
from .functions import by_place, named
from .rule import Rule

_NAME = "AWS_STS_REGIONAL_ENDPOINTS"


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts in project.infra:
        for location, functions in by_place(_legacy(facts.functions)).items():
            yield rule.finding(
                location,
                f"{named(functions)}: {_NAME}=legacy sends what AWS's SDK asks STS to one endpoint for the world; "
                "MONGODB-AWS with the function's role asks nothing, and is not changed by it",
                remedy=f"set {_NAME} to regional, or remove it: newer SDKs do so by default",
            )


def _legacy(functions: tuple[Function, ...]) -> Iterator[tuple[Location, Function]]:
    for function in functions:
        for variable in function.variables:
            if variable.name == _NAME and variable.value.text == "legacy":
                yield variable.location or variable.value.location, function


RULE = Rule(
    id="WL212",
    name="sts-regional-endpoints",
    summary="AWS_STS_REGIONAL_ENDPOINTS sends the SDK to the global STS endpoint.",
    practice="sts-region",
    severity=Severity.INFO,
    default=False,
    reads=("sam", "cloudformation", "serverless", "terraform"),
    why=(
        "It matters where AWS's SDK itself asks STS for credentials, to assume another role say: with `legacy` it asks "
        "the global endpoint, and depends on another region. With the credentials that Lambda puts into the "
        "environment the driver asks nothing: the STS host of MONGODB-AWS is named by the server."
    ),
    fix="Set it to `regional`, or remove it where the SDK is of July 2022 or later.",
    sources=(sources.ATLAS_LAMBDA, sources.AWS_STS_ENDPOINTS),
    match=_match,
)
