"""
WL161: a password that stands in code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from warmline.facts import sources

from ..credentials import is_near, with_password
from ..finding import Confidence, Finding, Severity
from ..location import Location
from ..masking import masked
from ..placeholder import is_placeholder
from ..project import Project
from ..source.facts import Call, Client, CodeFacts
from ..uri import client_options
from ..values import Value
from .rule import Rule

# The calls that make a credential, and which argument is the password; -1 is the last one.
_CREDENTIALS = (
    (re.compile(r"([\w.]+\.)?MongoCredential\.create(Scram\w+|Plain)?Credential", re.IGNORECASE), -1),
    (re.compile(r"new ([\w.]+\.)?PasswordEvidence"), 0),
    (re.compile(r"(\w+::)*Credential::builder\(.*\.password", re.DOTALL), 0),
)

# A test's password is that of a test's database.
_TESTS = re.compile(
    r"(^|/)(tests?|specs?|__tests__|testing|test[_-]?data|fixtures|e2e|mocks?|src/(it|test))/"
    r"|(^|/)(test_[^/]*|conftest)\.py$|_test\.(go|py)$|[._](test|spec)\.\w+$|Tests?\.(java|cs)$|_spec\.rb$"
)


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts in project.code:
        found: dict[Location, str] = {}
        strings: set[str] = set()
        for value in _strings(facts):
            string = with_password(value.text or "")
            # Where a constant is used it is the same one.
            if string is not None and (string not in strings or value in facts.strings):
                strings.add(string)
                found.setdefault(
                    value.location, f"a connection string with a password, {masked(string)}, is in the code"
                )
        for location, what in (*_called(facts), *_given(facts)):
            if not any(within(location, other) or within(other, location) for other in found):
                found[location] = what
        for location, what in found.items():
            yield rule.finding(
                location,
                f"{what}: who can read the code, its history or the package can log in",
                remedy="let the function log in with its role (MONGODB-AWS), or fetch it from Secrets Manager; "
                "and change the password, which is known by now",
                confidence=Confidence.LOW if _TESTS.search(facts.path) else Confidence.HIGH,
                secret=True,
            )


def within(inner: Location, outer: Location) -> bool:
    """
    Tell whether one stretch of a file lies in another.
    """
    return outer.start <= inner.start and inner.end <= outer.end


def _strings(facts: CodeFacts) -> Iterator[Value]:
    yield from facts.strings
    # A password that a constant puts into it.
    yield from (client.uri for client in facts.clients if client.uri is not None)


def _called(facts: CodeFacts) -> Iterator[tuple[Location, str]]:
    for call in facts.calls:
        password = _password(call)
        if password is not None and _is_secret(password):
            yield call.location, f"{call.name}() is given a password that is in the code"


def _password(call: Call) -> Value | None:
    for pattern, place in _CREDENTIALS:
        if pattern.fullmatch(call.text):
            named = next((option.value for option in call.keywords if option.name == "password"), None)
            return named or (call.arguments[place] if call.arguments else None)
    return None


def _given(facts: CodeFacts) -> Iterator[tuple[Location, str]]:
    for client in facts.clients:
        password = client_options(client).get("password")
        if password is not None and _is_secret(password) and not _is_beside(client):
            yield password.location, f"{client.call} is given a password that is in the code"


def _is_secret(value: Value) -> bool:
    return value.complete and value.text not in (None, "null") and not is_placeholder(value.text or "")


def _is_beside(client: Client) -> bool:
    """
    Whether its server is on the developer's machine.
    """
    address = re.sub(r"^mongodb(\+srv)?://", "", client.uri.text or "") if client.uri is not None else ""
    return is_near(address.partition("/")[0].rpartition("@")[2])


RULE = Rule(
    id="WL161",
    name="credentials-in-code",
    summary="A password stands in code: in a connection string, or as an option of a client.",
    practice="iam-auth",
    severity=Severity.ERROR,
    reads=("python", "javascript", "typescript", "go", "java", "csharp", "ruby", "rust"),
    why=(
        "Code is kept in a repository and packed into every deployment, and both are read by more people and machines "
        "than the database should be. A password there stays in the history when the line is gone, and can't be "
        "changed without a deployment. With MONGODB-AWS there is none: the function's role is the database user."
    ),
    fix=(
        "Log in with the function's role, or keep the connection string in Secrets Manager and give the function its "
        "name. Change the password that stood in the code."
    ),
    sources=(sources.ATLAS_LAMBDA, sources.SPEC_AUTHENTICATION),
    match=_match,
)
