"""
WL167: a database user with a password where the functions have a role.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Confidence, Finding, Severity
from ..infra.facts import DatabaseUser, Function
from ..project import Project
from .deployment import deployments
from .rule import Rule


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for deployment in deployments(project):
        users = deployment.database_users
        # Beside one that is a role's, a user with a password is for something else.
        if not deployment.functions or any(user.iam is not None for user in users):
            continue
        for user in users:
            if user.password is None:
                continue
            function = _given_to(user, deployment.functions)
            if function is not None:
                what = (
                    f"and {function.name} has it in a variable, where who can see the function's settings can read it"
                )
            else:
                what = "though the functions have a role that could log in instead"
            yield rule.finding(
                user.password.location if user.password.location.path == user.location.path else user.location,
                f"the database user {user.name} logs in by a password, {what}",
                remedy="make a user of the role's ARN ($external, AWS IAM type ROLE), and let the functions log in by "
                "MONGODB-AWS",
                confidence=Confidence.MEDIUM,
                severity=None if function is not None else Severity.INFO,
            )


def _given_to(user: DatabaseUser, functions: tuple[Function, ...]) -> Function | None:
    """
    Return a function with a variable that is made of what the password is made of.
    """
    names = user.password.names if user.password is not None else ()
    for function in functions:
        for variable in function.variables:
            if any(variable.value.reads(name) for name in names):
                return function
    return None


RULE = Rule(
    id="WL167",
    name="database-user-password",
    summary="A database user has a password where the functions' role could log in.",
    practice="iam-auth",
    severity=Severity.WARNING,
    reads=("sam", "cloudformation", "terraform"),
    why=(
        "A password has to be kept, handed to the function and changed, and whoever reads it can log in from anywhere "
        "that the access list allows. Every function has a role already: with MONGODB-AWS that is its login, by keys "
        "that Lambda replaces by itself."
    ),
    fix="Make a database user of the role's ARN and log in by MONGODB-AWS.",
    sources=(sources.ATLAS_LAMBDA, sources.SPEC_AUTHENTICATION, sources.AWS_ROLES),
    match=_match,
)
