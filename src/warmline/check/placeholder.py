"""
What stands where a secret belongs and is none.
"""

from __future__ import annotations

import re

# What a template engine, a format string or a reader is to replace, wherever it stands in a text.
_REPLACED = re.compile(r"\{\{[^{}]*\}\}|[$#]?\{[^{}]*\}|<[^<>]*>|%\(\w+\)[sdr]|%[srvq]")

# The same, in forms that a secret may have in its midst.
_WHOLLY_REPLACED = re.compile(r"\$\w+|\$\([^()]*\)|%\w+%|\[[^\[\]]*\]|@@\w+@@|__\w+__|\{[^{}]*|[^{}]*\}")

# Words that a tutorial writes for its reader's own ones.
_SAMPLE = re.compile(
    r"""
      ((my|your|the|some|a|db|database|mongo|mongodb|atlas|cluster|app|new|secure|strong|super)[_\-\ ]?)*
      (user|username|usr|login|name|pass|password|passwd|passw0rd|pwd|pw|secret|creds?|credentials?|token|key|p|u)
      ([_\-\ ]?(here|goes[_\-\ ]?here))?
    | your.* | my[_\-\ ].*
    | (insert|enter|replace|put|type|change|fill)[_\-\ ]?(me|it|this|in|your|with|the|here)([_\-\ ].*)?
    | changeme | changeit | example | sample | placeholder | dummy | fake | foo | bar | baz | todo | tbd | redacted
    | hidden | masked | removed | censored | none | null | undefined | string | abc | xyz
    | x+ | \.+ | \*+ | -+ | _+ | \?+
    """,
    re.VERBOSE | re.IGNORECASE,
)

# A longer text is no sample.
_MOST_CHARACTERS = 40


def is_replaced(text: str) -> bool:
    """
    Tell whether all of the text is replaced before it is used: ``{}``, ``${NAME}``, ``<password>``, ``%s``.
    """
    return not _REPLACED.sub("", text) or _WHOLLY_REPLACED.fullmatch(text) is not None


def is_placeholder(text: str) -> bool:
    """
    Tell whether it is no secret: empty, replaced before it is used (if only in part), or a word such as ``password``.
    """
    stripped = text.strip()
    if is_replaced(stripped) or _REPLACED.search(stripped) is not None:
        return True
    return len(stripped) <= _MOST_CHARACTERS and _SAMPLE.fullmatch(stripped) is not None
