"""
What the lab knows of AWS: roles, users, and the credentials it has given them.

Nothing of AWS is asked. Names and ARNs have AWS's form, so that what is written for the lab is right for Atlas too.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
"""

from __future__ import annotations

import base64
import re
import secrets
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

# AWS's example account, the one that the lab's functions are in too.
ACCOUNT = "123456789012"

_NAME = r"[A-Za-z0-9_+=,.@-]{1,64}"
_SESSION = r"[A-Za-z0-9_+=,.@-]{2,64}"
_PATH = r"(?:[!-~]+/)?"
_ROLE_ARN = re.compile(rf"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>[0-9]{{12}}):role/{_PATH}(?P<name>{_NAME})")
_USER_ARN = re.compile(rf"arn:aws[a-z-]*:iam::[0-9]{{12}}:user/{_PATH}{_NAME}")
_ASSUMED_ROLE_ARN = re.compile(
    rf"arn:(?P<partition>aws[a-z-]*):sts::(?P<account>[0-9]{{12}}):assumed-role/(?P<name>{_NAME})/{_SESSION}"
)

_KEY_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True, slots=True)
class Role:
    """
    An IAM role by its ARN, which may have a path: ``arn:aws:iam::123456789012:role/service-role/app``.
    """

    arn: str

    def __post_init__(self) -> None:
        if not _ROLE_ARN.fullmatch(self.arn):
            raise ValueError(f"{self.arn!r} is not a role's ARN: arn:aws:iam::<12 digits>:role/[path/]name")

    @property
    def name(self) -> str:
        """
        The role's name without its path.
        """
        return self.arn.rpartition("/")[2]

    def caller_arn(self, session_name: str) -> str:
        """
        What GetCallerIdentity answers in a session of this role: without the role's path.
        """
        if not re.fullmatch(_SESSION, session_name):
            raise ValueError(f"{session_name!r} is not a session's name: 2 to 64 letters, digits or _+=,.@-")
        _, partition, _, _, account, _ = self.arn.split(":", 5)
        return f"arn:{partition}:sts::{account}:assumed-role/{self.name}/{session_name}"


@dataclass(frozen=True, slots=True)
class IamUser:
    """
    An IAM user by its ARN, with its path if it has one.
    """

    arn: str

    def __post_init__(self) -> None:
        if not _USER_ARN.fullmatch(self.arn):
            raise ValueError(f"{self.arn!r} is not a user's ARN: arn:aws:iam::<12 digits>:user/[path/]name")


@dataclass(frozen=True, slots=True)
class Credentials:
    """
    An access key. One of a role's session has a token and an end; a user's has neither.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """
    Whom an access key belongs to; ``caller_arn`` is what GetCallerIdentity answers for it.
    """

    identity: Role | IamUser
    caller_arn: str
    credentials: Credentials


class Identities:
    """
    All credentials that are valid in the lab. Any thread may change and read it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._principals: dict[str, Principal] = {}
        self._roles: dict[str, Role] = {}

    def assume_role(self, role_name: str, session_name: str = "lab", lifetime_seconds: float = 3600) -> Credentials:
        """
        Start a session of a role, as STS and Lambda do, and return its temporary credentials.

        :param role_name: may have a path, ``service-role/app``. As in AWS the name after it is unique.
        :raises ValueError: no such name can exist in IAM, or the role's name is taken by one with another path.
        """
        role = Role(f"arn:aws:iam::{ACCOUNT}:role/{role_name}")
        caller_arn = role.caller_arn(session_name)
        with self._lock:
            # Two roles whose paths alone differ would be one and the same caller. IAM's names ignore case.
            known = self._roles.setdefault(role.name.lower(), role)
        if known != role:
            raise ValueError(f"{role.arn} can't exist beside {known.arn}: a role's name is unique whatever its path")
        credentials = Credentials(
            access_key_id=_access_key_id("ASIA"),
            secret_access_key=_secret_access_key(),
            session_token=base64.b64encode(secrets.token_bytes(384)).decode(),
            expires_at=datetime.now(UTC) + timedelta(seconds=lifetime_seconds),
        )
        self._add(Principal(role, caller_arn, credentials))
        return credentials

    def user_key(self, user_name: str) -> Credentials:
        """
        Create an access key of an IAM user: no token, no end.

        :param user_name: may have a path, ``engineering/bob``.
        """
        user = IamUser(f"arn:aws:iam::{ACCOUNT}:user/{user_name}")
        credentials = Credentials(_access_key_id("AKIA"), _secret_access_key())
        self._add(Principal(user, user.arn, credentials))
        return credentials

    def expire(self, credentials: Credentials) -> None:
        """
        End a session now: STS then says ``ExpiredToken``.

        :raises ValueError: a user's key, which never expires, or credentials that are not valid here.
        """
        with self._lock:
            principal = self._principals.get(credentials.access_key_id)
            if principal is None or principal.credentials.expires_at is None:
                raise ValueError(f"{credentials.access_key_id} is no session's key: only those expire")
            ended = replace(principal.credentials, expires_at=datetime.now(UTC))
            self._principals[credentials.access_key_id] = replace(principal, credentials=ended)

    def revoke(self, credentials: Credentials) -> None:
        """
        Make a key unknown, as if the user's key or the role had been deleted: STS says ``InvalidClientTokenId``.
        """
        with self._lock:
            self._principals.pop(credentials.access_key_id, None)

    def lookup(self, access_key_id: str) -> Principal | None:
        """
        Find whom an access key belongs to.
        """
        with self._lock:
            return self._principals.get(access_key_id)

    def _add(self, principal: Principal) -> None:
        with self._lock:
            self._principals[principal.credentials.access_key_id] = principal


def database_user(arn: str) -> str:
    """
    Return the database user of a caller, a role or a user, by its ARN: the role's ARN without a path, or the user's.

    STS answers with the role's name only, so a path in the role's ARN can't be told from the caller's, and can't be
    part of the name. A user's ARN is whole everywhere.

    :raises ValueError: the ARN is of something that can't be a database user: a group, a federated user, root.
    """
    if _USER_ARN.fullmatch(arn):
        return arn
    role = _ASSUMED_ROLE_ARN.fullmatch(arn) or _ROLE_ARN.fullmatch(arn)
    if role is None:
        raise ValueError(f"{arn!r} is the ARN of neither a role, a role's session nor a user: no database user has it")
    return f"arn:{role['partition']}:iam::{role['account']}:role/{role['name']}"


def environment(credentials: Credentials) -> dict[str, str]:
    """
    Return the variables that hand credentials to a child process, as Lambda sets them.
    """
    variables = {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
    }
    if credentials.session_token is not None:
        variables["AWS_SESSION_TOKEN"] = credentials.session_token
    return variables


def _access_key_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_KEY_ALPHABET) for _ in range(16))


def _secret_access_key() -> str:
    # 40 characters, with / and + among them.
    return base64.b64encode(secrets.token_bytes(30)).decode()
