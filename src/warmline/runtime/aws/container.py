"""
Credentials of the container that the process runs in: under SnapStart, on ECS and EKS.

There a process finds no keys in its environment but the address of an endpoint that has them.
Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

from __future__ import annotations

import os
import time

from pymongo.errors import OperationFailure

from .credentials import Credentials

RELATIVE_URI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
FULL_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"

# Credentials are renewed this long before they end.
RENEWAL_SECONDS = 300

# Where AWS's SDK, and so PyMongo, looks before it asks a container's endpoint.
_BEFORE = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE")
_FILES = {"AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials", "AWS_CONFIG_FILE": "~/.aws/config"}


def is_named() -> bool:
    """
    Tell whether the environment names an endpoint, and nothing that AWS's SDK would prefer to it.
    """
    if not os.environ.get(RELATIVE_URI) and not os.environ.get(FULL_URI):
        return False
    return not any(os.environ.get(name) for name in _BEFORE) and not any(map(_has_file, _FILES))


def _has_file(variable: str) -> bool:
    path = os.environ.get(variable, _FILES[variable])
    # pathlib's expanduser() fails where nobody has a home.
    return os.path.isfile(os.path.expanduser(path))  # noqa: PTH111, PTH113


class ContainerCredentials:
    """
    The container's credentials, held until five minutes before they end. Any thread may use it.
    """

    def __init__(self) -> None:
        self._held: Credentials | None = None

    def held(self) -> Credentials | None:
        """
        Give the credentials that were fetched before, ``None`` if new ones are due; never block.
        """
        held = self._held
        return held if held is not None and _seconds_of(held) > RENEWAL_SECONDS else None

    def fetch(self) -> Credentials:
        """
        Ask the endpoint, twice at most; within ``pymongo.timeout()`` no longer than is left of it.

        When it fails, credentials that are due but not at their end are good enough.

        :raises pymongo.errors.OperationFailure: it has none; an ``ExecutionTimeout`` if the time was up.
        :raises pymongo.errors.ConfigurationError: it must not be asked, or not with this token.
        """
        from .endpoint import fetch

        try:
            fetched = fetch()
        except OperationFailure:
            held = self._held
            if held is not None and _seconds_of(held) > 0:
                return held
            raise
        self._held = fetched
        return fetched

    def forget(self, refused: Credentials | None = None) -> None:
        """
        Throw what is held away; what was refused only if nothing has taken its place already.
        """
        if refused is None or self._held is refused:
            self._held = None


def _seconds_of(credentials: Credentials) -> float:
    """
    Tell how long credentials are valid. By the wall clock: the monotonic one stands still in a frozen environment.
    """
    return (credentials.expires_at or 0) - time.time()


# The process's own: there is one container.
CONTAINER = ContainerCredentials()
