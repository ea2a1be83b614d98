"""
Secrets taken out of a text that is to be shown: a message, or lines of a file.

What might be one is masked. A host that goes with it is no loss, a password that stays is one.
"""

from __future__ import annotations

import re

from .placeholder import is_replaced

MASK = "***"

_CONNECTION_STRING = re.compile(r"mongodb(?:\+srv)?://", re.IGNORECASE)

# host, host:27017, [::1]:27017, and what is replaced before it is used
_HOST = re.compile(r"(\[[0-9a-fA-F:.%]*\]|[^:\[\]@]*)(:(\d{1,5}|[{$<%#].*)?)?")

_NAMES = r"(?:password|passwd|passphrase|pwd|pass|secret|token|secret_?access_?key|secret_?key|api_?key|private_?key)"

_LITERAL = r"""(?P<quote>["'`])(?P<secret>(?:\\.|(?!(?P=quote)).)+)(?P=quote)"""

# password="…", 'password': "…", :password => '…', SecretAccessKey := `…`, setPassword("…"), .password("…")
_NAMED_LITERAL = re.compile(
    rf"""(?P<before>{_NAMES}["'\])]*\s*(?::=|=>|[:=(,])\s*(?:Some\(\s*|[\w.&]*\(\s*)?[a-zA-Z@$]{{0,2}}){_LITERAL}""",
    re.IGNORECASE,
)
# DB_PASSWORD: …, export DB_PASSWORD=…
_NAMED_WORD = re.compile(
    rf"""(?P<before>^[ \t]*(?:-[ \t]+)?(?:export[ \t]+)?["']?[\w.-]*{_NAMES}["']?[ \t]*[:=][ \t]*)"""
    r"""(?P<secret>(?![!&*$|>{\[("'`])[^\s"'(]+)(?P<after>[ \t]*(?:\#.*)?)$""",
    re.IGNORECASE | re.MULTILINE,
)
# "…".toCharArray() is how Java hands over a password.
_CHARACTERS = re.compile(rf"(?P<before>){_LITERAL}(?=\s*\.\s*toCharArray\b)")

# createCredential("user", "admin", "…".toCharArray()), new NetworkCredential("user", "…")
_CREDENTIAL_CALL = re.compile(r"\b\w*(?:Credential|PasswordEvidence)\w*\s*\([^;{}]*?\)(?=[^)]|$)", re.IGNORECASE)
_ANY_LITERAL = re.compile(rf"(?P<before>){_LITERAL}")

# Parts of a connection string that is put together: ":…@cluster0.example.mongodb.net"
_USER_PART = re.compile(r"""(?P<before>["'`])(?P<secret>:?[^"'`\s@/:{}$<>]+)(?=@[\w.{$<-]*["'`\w/])""")

_AWS_KEY = re.compile(r"\b(?P<before>)(?P<secret>(?:AKIA|ASIA)[A-Z0-9]{12,})\b")
_AWS_SECRET = re.compile(r"""(?P<before>["'`=:\s])(?P<secret>[A-Za-z0-9/+]{40})(?=["'`\s,;&]|$)""")
_SESSION_TOKEN = re.compile(r"""(?P<before>AWS_SESSION_TOKEN(?::|%3A|=))(?P<secret>[^&,"'`\s]+)""", re.IGNORECASE)
# Any other scheme: https://user:…@host
_USER_INFORMATION = re.compile(
    r"""(?P<before>(?<![\w+.-])(?!mongodb)[a-z][\w+.-]*://)(?P<secret>[^\s/"'`@]+:[^\s/"'`@]+)(?=@)"""
)

_PATTERNS = (
    _NAMED_LITERAL,
    _NAMED_WORD,
    _CHARACTERS,
    _USER_PART,
    _AWS_KEY,
    _AWS_SECRET,
    _SESSION_TOKEN,
    _USER_INFORMATION,
)


def masked(text: str) -> str:
    """
    Return the text with ``***`` for each user, password, key and token in it.

    What is replaced before it is used (``${PASSWORD}``, ``{password}``) stays. So does the number of lines: where a
    file is shown in part, mask it whole and take the lines.
    """
    text = _connection_strings(text)
    for pattern in _PATTERNS:
        text = pattern.sub(_mask, text)
    return _CREDENTIAL_CALL.sub(lambda call: _ANY_LITERAL.sub(_mask, call[0]), text)


def _mask(found: re.Match[str]) -> str:
    secret = found["secret"]
    if is_replaced(secret) or set(secret) == {"*"}:
        return found[0]
    start, end = found.span("secret")
    return f"{found[0][: start - found.start()]}{MASK}{found[0][end - found.start() :]}"


def _connection_strings(text: str) -> str:
    shown: list[str] = []
    position = 0
    for scheme in _CONNECTION_STRING.finditer(text):
        if scheme.start() < position:
            continue
        end = _end(text, scheme)
        shown += (text[position : scheme.end()], _without_user(text[scheme.end() : end]))
        position = end
    return "".join((*shown, text[position:]))


def _end(text: str, scheme: re.Match[str]) -> int:
    # In quotes it goes on to the same one, whatever else a password has in it.
    quote = text[scheme.start() - 1 : scheme.start()]
    stop = re.compile(rf"{re.escape(quote)}|\n|$" if quote in ("'", '"', "`") else r"\s|$")
    found = stop.search(text, scheme.end())
    return found.start() if found is not None else len(text)


def _without_user(rest: str) -> str:
    """
    What follows ``mongodb://``, without user and password. A password may hold ``@`` and ``/`` that should be escaped.
    """
    user, at, host = rest.rpartition("@")
    if at:
        return ":".join(part if is_replaced(part) else MASK for part in user.split(":", 1)) + at + host
    # It may go on elsewhere: "mongodb://user:secret" + "@host"
    authority = re.match(r"[^/?]*", rest)[0]  # type: ignore[index]
    if all(_HOST.fullmatch(host) for host in authority.split(",")):
        return rest
    return MASK + rest[len(authority) :]
