"""
WL163: a function that has a role, and a connection string that logs in by a password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Confidence, Finding, Severity
from ..project import Project
from ..uri import uri_options
from ..values import Value
from .deployment import deployments
from .rule import Rule

# A user and a password, known or not, in front of the hosts.
_LOGIN = re.compile(r"mongodb(\+srv)?://[^/?@:]+:[^/?@]+@")


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for deployment in deployments(project):
        for function in deployment.functions:
            for variable in function.variables:
                if _by_password(variable.value):
                    yield rule.finding(
                        variable.value.location,
                        f"{function.name}: {variable.name} logs in by a user and a password, though the function has "
                        "a role that could",
                        remedy="make a database user of the role's ARN, and set authSource=$external and "
                        "authMechanism=MONGODB-AWS in place of the user and the password",
                        confidence=Confidence.MEDIUM if variable.value.names else Confidence.HIGH,
                    )


def _by_password(value: Value) -> bool:
    if value.text is None or _LOGIN.match(value.text) is None:
        return False
    mechanism = {option.name: option.value for option in uri_options(value)}.get("authMechanism")
    return mechanism is None or (mechanism.text or "").startswith("SCRAM")


RULE = Rule(
    id="WL163",
    name="iam-auth-unused",
    summary="A function logs in by a password, though its role could log in.",
    practice="iam-auth",
    severity=Severity.INFO,
    reads=("sam", "cloudformation", "serverless", "terraform"),
    why=(
        "Every function has a role, and Atlas takes it as a database user. Then no password is in the template, in the "
        "function's settings or in its process. MONGODB-AWS has a price at a cold start: the lab's experiment "
        "`cold-start` found that importing boto3 for the signature is 40 % of the CPU that MongoDB's example takes to "
        "its first answer, and warmline signs without it."
    ),
    fix="Make a database user of the role's ARN and log in by MONGODB-AWS.",
    sources=(sources.ATLAS_LAMBDA, sources.SPEC_AUTHENTICATION, sources.AWS_ROLES),
    match=_match,
    default=False,
)
