"""
Passwords within connection strings.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from .placeholder import is_placeholder

_CONNECTION_STRING = re.compile(r"mongodb(?:\+srv)?://(?P<rest>[^\s\"'`?]*)")

# A server on the developer's own machine, or beside it in a composition of containers; and the names of examples.
_NEAR = re.compile(
    r"(localhost|127\.[\d.]+|0\.0\.0\.0|\[::1\]|host\.docker\.internal|[\w-]+"
    r"|([\w.-]+\.)?example\.(com|net|org|mongodb\.net)|[\w-]+\.(x+|\.+|\*+)\.mongodb\.net|[\w.-]*<[^>]*>[\w.-]*|cluster\d*\.mongodb\.net)"
    r"(:\d+)?",
    re.IGNORECASE,
)


def is_near(address: str) -> bool:
    """
    Tell whether a host is nobody else's: on the same machine, in the same composition of containers, or an example's.
    """
    return all(_NEAR.fullmatch(host) is not None for host in address.split(","))


def with_password(text: str) -> str | None:
    """
    Return the first connection string in a text that has a password: no placeholder, and of no server nearby.

    :return: without its options, and not masked.
    """
    for found in _CONNECTION_STRING.finditer(text):
        # A password may hold a slash that should be escaped; hosts and a database's name hold no @.
        user, _, address = found["rest"].rpartition("@")
        _, colon, password = user.partition(":")
        if colon and not is_near(address.partition("/")[0]) and not is_placeholder(unquote(password)):
            return found[0]
    return None
