"""
WL168: a database user that may do everything.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Confidence, Finding, Severity
from ..infra.facts import DatabaseUser
from ..project import Project
from ..values import Value
from .deployment import deployments
from .functions import certainty
from .rule import Rule

# What they may do to all databases, or to the cluster.
_ADMINISTRATORS = frozenset({"atlasAdmin", "clusterAdmin", "dbAdminAnyDatabase", "root", "userAdminAnyDatabase"})


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for deployment in deployments(project):
        for user in deployment.database_users:
            role = _administrator(user)
            if role is None:
                continue
            # Without a function in sight it may be somebody's who looks after the cluster.
            sure = certainty(role) if deployment.functions and not user.conditional else Confidence.MEDIUM
            name = (role.text or "").partition("@")[0]
            yield rule.finding(
                role.location,
                f"the database user {user.name} has the role {name}: whoever gets hold of its login has all databases",
                remedy="give the functions' user readWrite on the databases that they use, and nothing else",
                confidence=sure if any(facts.functions for facts in project.infra) else Confidence.LOW,
            )


def _administrator(user: DatabaseUser) -> Value | None:
    if user.iam is not None and user.iam.text == "USER":
        # A person's, by their AWS account.
        return None
    return next(
        (role for role in user.roles if (role.text or "").partition("@")[0] in _ADMINISTRATORS),
        None,
    )


RULE = Rule(
    id="WL168",
    name="database-user-admin",
    summary="A database user has an administrator's role.",
    practice="iam-auth",
    severity=Severity.WARNING,
    reads=("sam", "cloudformation", "terraform"),
    why=(
        "A function reads and writes the documents of an application. With `atlasAdmin` a login that leaks, or a query "
        "that is injected, reaches every database of the cluster, its users and its settings."
    ),
    fix="Give the user `readWrite` on the databases that the functions use.",
    sources=(sources.ATLAS_LAMBDA, sources.ATLAS_USERS),
    match=_match,
)
