"""
WL164: the function's AWS keys are given to the driver, which reads them itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Finding, Severity
from ..project import Project
from ..source.facts import Client, CodeFacts
from ..uri import client_options
from ..values import Value
from .credentials_in_code import within
from .rule import Rule

_KEYS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
_SESSION = "AWS_SESSION_TOKEN"

# Calls that make a credential of MongoDB's, in drivers that have a type for it.
_CREDENTIAL = re.compile(
    r"([\w.]+\.)?MongoCredential\.createAwsCredential|new ([\w.]+\.)?(MongoExternalIdentity|PasswordEvidence)"
    r"|(\w+::)*Credential::builder\(.*\.(username|password)",
    re.DOTALL,
)


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts in project.code:
        found = [client.location for client in facts.clients if _reads(_KEYS, *_login(client))]
        # A credential that is made apart from the client, once for all its calls.
        if not found:
            found = [
                call.location
                for call in facts.calls
                if _CREDENTIAL.fullmatch(call.text) and _reads(_KEYS, *call.arguments)
            ][:1]
        token = _SESSION in _read_in(facts)
        for location in found:
            if any(within(location, other) for other in found if other != location):
                continue
            yield rule.finding(
                location,
                "the function's AWS keys are given to the driver, "
                + (
                    "which would read them itself and afresh for each new connection"
                    if token
                    else f"but not {_SESSION}: with the temporary keys of a role the login fails"
                ),
                remedy="leave username and password out and set authMechanism=MONGODB-AWS and authSource=$external: "
                "the driver reads the keys and the token from the environment",
                severity=None if token else Severity.ERROR,
            )


def _login(client: Client) -> Iterator[Value]:
    options = client_options(client)
    for name in ("username", "password", _SESSION, "authMechanismProperties"):
        if name in options:
            yield options[name]
    if client.uri is not None:
        yield client.uri


def _reads(variables: set[str], *values: Value) -> bool:
    return any(variables & set(value.environment) for value in values)


def _read_in(facts: CodeFacts) -> set[str]:
    """
    The environment variables that the file reads.
    """
    found: set[str] = set()
    for value in (
        *facts.strings,
        *(assignment.value for assignment in facts.assignments),
        *(value for call in facts.calls for value in (*call.arguments, *(option.value for option in call.keywords))),
        *(value for client in facts.clients for value in _login(client)),
    ):
        found.update(value.environment)
    return found


RULE = Rule(
    id="WL164",
    name="explicit-aws-keys",
    summary="The function's AWS keys are given to the driver, which reads them itself.",
    practice="iam-auth",
    severity=Severity.WARNING,
    reads=("python", "javascript", "typescript", "go", "java", "csharp", "ruby", "rust"),
    why=(
        "With MONGODB-AWS and no username a driver takes the role's keys from the environment, where Lambda puts them, "
        "and does so for each new connection. Keys that are given to it are those of the moment at which the client "
        "was constructed. They are temporary and belong to a session token: without the token no login succeeds."
    ),
    fix=(
        "Leave username and password out; set authMechanism=MONGODB-AWS and authSource=$external, in the connection "
        "string or as options."
    ),
    sources=(sources.SPEC_AUTHENTICATION, sources.ATLAS_LAMBDA, sources.AWS_ENVIRONMENT_VARIABLES),
    match=_match,
)
