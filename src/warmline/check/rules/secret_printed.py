"""
WL165: a connection string or a secret that is printed or logged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from warmline.facts import sources

from ..finding import Confidence, Finding, Severity
from ..placeholder import is_placeholder
from ..project import Project
from ..source.facts import Call, Client, CodeFacts
from ..values import HOLE, Value
from .fetches import service
from .rule import Rule

_LEVELS = r"(log|trace|debug|info|information|notice|warn|warning|error|exception|critical|fatal|panic)"
_LOGGER = r"([\w$.@]*[._$@])?_?(log|logger|logging|slog|sugar|zap)(\(\))?\."

_PRINTERS: Mapping[str, re.Pattern[str]] = {
    "python": re.compile(rf"p?print|pprint\.pprint|sys\.std(out|err)\.write|{_LOGGER}{_LEVELS}", re.IGNORECASE),
    "javascript": re.compile(rf"console\.(log|info|warn|error|debug|trace|dir)|{_LOGGER}{_LEVELS}", re.IGNORECASE),
    "go": re.compile(rf"fmt\.Print(f|ln)?|{_LOGGER}(Print|{_LEVELS})(f|ln|w|Context)?", re.IGNORECASE),
    "java": re.compile(
        rf"System\.(out|err)\.print(ln|f)?|{_LOGGER}{_LEVELS}|([\w.]+\.)?getLogger\(\)\.log", re.IGNORECASE
    ),
    "csharp": re.compile(
        rf"(System\.)?Console\.(Error\.)?Write(Line)?|LambdaLogger\.Log|{_LOGGER}(Log)?{_LEVELS}?(Line)?", re.IGNORECASE
    ),
    "ruby": re.compile(rf"puts|print|pp?|warn|\$std(out|err)\.puts|{_LOGGER}{_LEVELS}", re.IGNORECASE),
    "rust": re.compile(r"((log|tracing)::)?(e?print(ln)?|dbg|trace|debug|info|warn|error)!"),
}

# Calls that show all of what they are given.
_TRANSPARENT = re.compile(
    r"JSON\.stringify|json\.dumps|str|repr|String|(util\.)?inspect|fmt\.Sprint(f|ln)?|[Ss]tring\.[Ff]ormat|.*\.format"
    r"|format!|String\.valueOf"
)

# Not PWD alone, which is a folder.
_PASSWORD_VARIABLE = re.compile(r"\w*(PASSWORD|PASSWD)|\w+_(PASS|PWD|PW)", re.IGNORECASE)

_PASSWORD = re.compile(r"([\w.]*[._])?(password|passwd|pass|pwd|pw)|\w*(Password|Passwd|Pass|Pwd)|[A-Z_]*PASSWORD")

_URI_VARIABLE = re.compile(r"\w*(MONGO|ATLAS|DB|DATABASE)\w*(URI|URL|DSN|CONN(ECTION)?(_?STR(ING)?)?)", re.IGNORECASE)
_SECRET_VARIABLE = re.compile(r"\w*(MONGO|ATLAS|DB|DATABASE)\w*SECRET", re.IGNORECASE)

# Fields of what Secrets Manager and KMS answer.
_SECRET_FIELD = re.compile(r"secret_?(string|binary)|plaintext", re.IGNORECASE)

_SECRET_NAME = re.compile(r"secret|passw|pwd|credential|creds|uri\b|url\b|conn\w*str", re.IGNORECASE)
_NO_SECRET_NAME = re.compile(r"(name|arn|id|region|client|manager|path|key)$", re.IGNORECASE)

_USER_INFORMATION = re.compile(r"mongodb(\+srv)?://[^/@\s:]*:(?P<password>[^/@\s]*)@")

_INLINE = re.compile(r"(?<!\{)\{(\w+)(:[^{}]*)?\}(?!\})")


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts in project.code:
        printer = _PRINTERS.get(facts.language, _PRINTERS["javascript"])
        fetched = _fetched(facts)
        formatting = [call for call in facts.calls if _TRANSPARENT.fullmatch(call.text)]
        for call in facts.calls:
            if not printer.fullmatch(call.text):
                continue
            found = next(
                (found for value in _shown(call, formatting) if (found := _secret(value, call, facts, fetched))), None
            )
            if found is not None:
                what, confidence = found
                yield rule.finding(
                    call.location,
                    f"{call.text} writes {what} to the log, where everybody who reads logs finds it",
                    remedy="leave it out, or write what tells connections apart: the host and the database",
                    confidence=confidence,
                )


def _shown(call: Call, formatting: list[Call]) -> Iterator[Value]:
    """
    The values that the call writes as they are, also those within a call that only formats them.
    """
    at = call.location
    within = [other for other in formatting if at.start <= other.location.start and other.location.end <= at.end]
    for each in (call, *within):
        yield from each.arguments
        yield from (option.value for option in each.keywords)


def _secret(
    value: Value, call: Call, facts: CodeFacts, fetched: Mapping[tuple[str, str | None], Confidence]
) -> tuple[str, Confidence] | None:
    parts = value.parts
    if facts.language == "rust" and not parts and value.text is not None:
        # println!("{uri}")
        parts = tuple(match[1] for match in _INLINE.finditer(value.text))
    if parts and value.text is not None and _has_password(value.text):
        return "a connection string with its password", Confidence.HIGH
    for part in parts:
        if part in value.environment:
            if _PASSWORD_VARIABLE.fullmatch(part):
                return f"the password in {part}", Confidence.HIGH
            if _URI_VARIABLE.fullmatch(part) or _SECRET_VARIABLE.fullmatch(part):
                return f"the value of {part}", Confidence.MEDIUM
        for client in facts.clients:
            if (found := _given_to(client, part, call, facts)) is not None:
                return found
        holder = re.split(r"[.\[]", part, maxsplit=1)[0]
        confidence = fetched.get((holder, call.function)) or fetched.get((holder, None))
        if confidence is not None and (part == holder or _SECRET_FIELD.search(part)):
            return f"the secret that is fetched into {holder}", confidence
    return None


def _has_password(text: str) -> bool:
    found = _USER_INFORMATION.search(text)
    return found is not None and (HOLE in found["password"] or not is_placeholder(found["password"]))


def _given_to(client: Client, part: str, call: Call, facts: CodeFacts) -> tuple[str, Confidence] | None:
    """
    Whether a name is the client's connection string, or the password in it.
    """
    uri = client.uri
    if uri is None or part not in uri.parts or not _same(part, call, client, facts):
        return None
    # The name is all of the argument, but for a sign of its type.
    if part == uri.parts[0] and uri.location.end - uri.location.start <= len(part) + 2:
        what = f"the connection string {part}"
        if uri.text is not None and _has_password(uri.text):
            return f"{what} with its password", Confidence.HIGH
        known = uri.text is not None and uri.text.partition("://")[2][:1] not in ("", HOLE[0])
        if known or not (uri.environment or call.function == client.function):
            return None
        return what, Confidence.MEDIUM
    if _PASSWORD.fullmatch(part) and uri.text is not None and _has_password(uri.text):
        return f"the password {part}", Confidence.HIGH
    return None


def _same(name: str, call: Call, client: Client, facts: CodeFacts) -> bool:
    """
    Whether a name means the same where something is printed and where the client is constructed.
    """
    if call.function == client.function:
        return True
    given = {assignment.function for assignment in facts.assignments if assignment.target == name}
    return None in given and call.function not in given and client.function not in given - {None}


def _fetched(facts: CodeFacts) -> Mapping[tuple[str, str | None], Confidence]:
    """
    The variables that hold a fetched secret, by name and function.
    """
    held: dict[tuple[str, str | None], Confidence] = {}
    telling = [
        (call.location, service(call))
        for call in facts.calls
        if service(call) is not None or _SECRET_FIELD.fullmatch(call.name)
    ]
    for assignment in facts.assignments:
        value = assignment.value
        at = value.location
        by = [found for location, found in telling if at.start <= location.start and location.end <= at.end]
        for name in _given(assignment.target):
            if by or any(_SECRET_FIELD.search(part) for part in value.parts):
                held[name, assignment.function] = Confidence.MEDIUM if "Parameter Store" in by else Confidence.HIGH
            elif (
                _SECRET_NAME.search(name)
                and not _NO_SECRET_NAME.search(name)
                and any((read, assignment.function) in held for read in value.names)
            ):
                held[name, assignment.function] = Confidence.MEDIUM
    return held


def _given(target: str) -> Iterator[str]:
    if target.startswith("{"):
        # { SecretString } takes the secret out of the answer, { ARN } something else.
        yield from (name for name in re.findall(r"[\w$]+", target) if _SECRET_FIELD.fullmatch(name))
    else:
        # In Go a second name takes the error.
        yield target.partition(",")[0].strip()


RULE = Rule(
    id="WL165",
    name="secret-printed",
    summary="A connection string or a secret is printed or logged.",
    practice="iam-auth",
    severity=Severity.ERROR,
    reads=("python", "javascript", "typescript", "go", "java", "csharp", "ruby", "rust"),
    why=(
        "What a function prints goes to CloudWatch Logs, is kept there without an end unless one is set, and is read, "
        "copied and forwarded by people and tools that need no password of the database."
    ),
    fix="Leave the value out; write the host and the database, which tell connections apart.",
    sources=(sources.AWS_LOGS, sources.AWS_SECRETS),
    match=_match,
)
