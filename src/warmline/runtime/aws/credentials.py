"""
AWS credentials, and those of the process's environment.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from pymongo.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Credentials:
    """
    An access key; one of a role's session has a token, and an end if it is known (Unix time, seconds).
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires_at: float | None = None


def from_environment() -> Credentials | None:
    """
    Read the credentials that Lambda puts into a function's environment; ``None`` where there are none.

    They are read anew for every connection: another part of the program may have renewed them.
    Source: https://github.com/mongodb/specifications/blob/master/source/auth/auth.md#environment-variables

    :raises pymongo.errors.ConfigurationError: there is half of a key.
    """
    access_key_id = os.environ.get("AWS_ACCESS_KEY_ID")
    if not access_key_id:
        return None
    secret_access_key = os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not secret_access_key:
        raise ConfigurationError(
            "MONGODB-AWS can't log in with the environment's credentials: AWS_ACCESS_KEY_ID is set and "
            "AWS_SECRET_ACCESS_KEY is not; set both, or neither"
        )
    # AWS_SECURITY_TOKEN is the older name, which AWS's SDKs know too.
    token = os.environ.get("AWS_SESSION_TOKEN") or os.environ.get("AWS_SECURITY_TOKEN") or None
    return Credentials(access_key_id, secret_access_key, token)
