"""
Passwords within connection strings.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from .placeholder import is_placeholder

_CONNECTION_STRING = re.compile(r"mongodb(?:\+srv)?://(?P<rest>[^\s\"'`?]*)")

# A server on the developer's own machine, or beside it in a composition of containers.
_NEAR = re.compile(r"(localhost|127\.[\d.]+|\[::1\]|host\.docker\.internal|[\w-]+)(:\d+)?")


def with_password(text: str) -> str | None:
    """
    Return the first connection string in a text that has a password: no placeholder, and of no server nearby.

    :return: without its options, and not masked.
    """
    for found in _CONNECTION_STRING.finditer(text):
        # A password may hold a slash that should be escaped; hosts and a database's name hold no @.
        user, _, address = found["rest"].rpartition("@")
        _, colon, password = user.partition(":")
        near = _NEAR.fullmatch(address.partition("/")[0])
        if colon and near is None and not is_placeholder(unquote(password)):
            return found[0]
    return None
