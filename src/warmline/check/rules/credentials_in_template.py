"""
WL162: a password that stands in a template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from warmline.facts import sources

from ..credentials import with_password
from ..finding import Finding, Severity
from ..infra.facts import Function, InfraFacts
from ..location import Location
from ..masking import masked
from ..placeholder import is_placeholder
from ..project import Project
from ..usage import clients_of, names_mongodb
from ..values import Value
from .rule import Rule

_ENDS = r"(PASS|PASSWORD|PASSWD|PWD)"
_OWN = re.compile(rf".*(MONGO|ATLAS|DOCDB|DOCUMENTDB).*{_ENDS}", re.IGNORECASE)
# It may be another database's.
_ANY = re.compile(rf"(DB|DATABASE)?_?{_ENDS}", re.IGNORECASE)

# The name of a secret and not the secret: an ARN, a path. And a switch.
_ELSEWHERE = re.compile(r"arn:.*|.*/.*|true|false|\d{1,3}", re.IGNORECASE)


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts in project.infra:
        found: dict[Location, str] = {}
        for function in facts.functions:
            for name, value in _of_function(function, project):
                found.setdefault(value.location, f"{function.name}: {name} {_what(value)}")
        for name, value in _elsewhere(facts):
            found.setdefault(value.location, f"{name} {_what(value)}")
        for location, what in found.items():
            yield rule.finding(
                location,
                f"{what}: who can read the template, its history or what it deploys can log in",
                remedy="let the function log in with its role (MONGODB-AWS), or fetch it from Secrets Manager by name; "
                "and change the password, which is known by now",
                secret=True,
            )


def _of_function(function: Function, project: Project) -> Iterator[tuple[str, Value]]:
    concerned = names_mongodb(function) or bool(clients_of(function, project))
    for variable in function.variables:
        named = _OWN.fullmatch(variable.name) or (concerned and _ANY.fullmatch(variable.name))
        if _is_string(variable.value) or (named and _is_password(variable.value)):
            yield variable.name, variable.value


def _elsewhere(facts: InfraFacts) -> Iterator[tuple[str, Value]]:
    for parameter in facts.parameters:
        default = parameter.default
        if default is not None and (_is_string(default) or (_OWN.fullmatch(parameter.name) and _is_password(default))):
            yield f"the default of {parameter.name}", default
    for user in facts.database_users:
        if user.password is not None and _is_password(user.password):
            yield f"the password of the database user {user.name}", user.password
    for value in facts.strings:
        if _is_string(value):
            yield "the template", value


def _is_string(value: Value) -> bool:
    return value.text is not None and with_password(value.text) is not None


def _is_password(value: Value) -> bool:
    return (
        value.complete
        and value.text is not None
        and not is_placeholder(value.text)
        and _ELSEWHERE.fullmatch(value.text) is None
    )


def _what(value: Value) -> str:
    string = with_password(value.text or "")
    if string is not None:
        return f"holds a connection string with a password, {masked(string)}"
    return "stands in the template"


RULE = Rule(
    id="WL162",
    name="credentials-in-template",
    summary="A password stands in a template: in a connection string, a variable or a parameter's default.",
    practice="iam-auth",
    severity=Severity.ERROR,
    reads=("sam", "cloudformation", "serverless", "terraform"),
    why=(
        "A template is kept in a repository, and what it sets is shown by Lambda's console and API to everybody who "
        "may look at the function. A password there is known to more people than one thinks, and can't be changed "
        "without a deployment. With MONGODB-AWS there is none: the function's role is the database user."
    ),
    fix=(
        "Log in with the function's role, or keep the connection string in Secrets Manager and give the function its "
        "name. Change the password that stood in the template."
    ),
    sources=(sources.ATLAS_LAMBDA, sources.AWS_ENVIRONMENT_VARIABLES),
    match=_match,
)
