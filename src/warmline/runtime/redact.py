"""
Connection strings without what must not be seen.
"""

from __future__ import annotations

import re

# Greedy up to the last "@": a password that should have been percent-encoded may hold any character.
# Rather too much is hidden than too little.
# (Patterns are compiled when they are first needed: a cold start that goes well needs none.)
_CREDENTIALS = r"(?is)([a-z][a-z0-9+.-]*://).*@"
_SECRET_OPTIONS = r"(?i)(authMechanismProperties|tlsCertificateKeyFilePassword|password)=[^&\s]*"  # noqa: S105  a pattern


def redact(text: str) -> str:
    """
    Hide the credentials of every connection string in a text.
    """
    text = re.sub(_CREDENTIALS, r"\1<credentials>@", text)
    return re.sub(_SECRET_OPTIONS, r"\1=<hidden>", text)


def redact_uri(uri: str) -> str:
    """
    Hide the credentials of one connection string, also when it is too malformed to be known as one.
    """
    if "://" not in uri and "@" in uri:
        uri = "<credentials>@" + uri.rpartition("@")[2]
    return redact(uri)
