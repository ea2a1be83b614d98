"""
WL211: an environment variable that Lambda keeps for itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Finding, Severity
from ..infra.facts import Function
from ..location import Location
from ..project import Project
from .functions import named
from .rule import Rule

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
_RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts in project.infra:
        # What runs now has been deployed: there Lambda itself has set them.
        if facts.kind == "live":
            continue
        found: dict[tuple[Location, str], list[Function]] = defaultdict(list)
        for function in facts.functions:
            for variable in function.variables:
                if variable.name in _RESERVED:
                    found[variable.location or variable.value.location, variable.name].append(function)
        for (location, name), functions in found.items():
            yield rule.finding(
                location,
                f"{named(functions)}: {name} is reserved, Lambda sets it itself: the deployment fails",
                remedy=f"remove it; the code finds {name} in its environment, set by Lambda",
            )


RULE = Rule(
    id="WL211",
    name="aws-region-set",
    summary="A template sets an environment variable that Lambda reserves, such as AWS_REGION.",
    practice="sts-region",
    severity=Severity.ERROR,
    reads=("sam", "cloudformation", "serverless", "terraform"),
    why=(
        "MongoDB's guide asks for AWS_REGION where the SDK gets credentials from STS. On Lambda it is always there and "
        "reserved: creating or updating a function with one of the reserved names is refused. The credentials of the "
        "function's role are in the environment too, and can't be replaced there."
    ),
    fix="Remove the variable.",
    sources=(sources.AWS_ENVIRONMENT_VARIABLES, sources.ATLAS_LAMBDA),
    match=_match,
)
