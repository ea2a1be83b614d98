"""
Who may log in to a cluster, each with no more rights than its task needs.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pymongo import MongoClient

# Where all users live, and what clients must therefore name as authSource.
USERS_DATABASE = "admin"
APPLICATION_DATABASE = "shop"

MECHANISM = "SCRAM-SHA-256"

# A new user is to be known to every member; one that is down must not hold this up for long.
REPLICATION_TIMEOUT_MS = 10_000


@dataclass(frozen=True)
class Role:
    """
    One of the server's roles, and the database it holds on.
    """

    name: str
    database: str = USERS_DATABASE

    def as_document(self) -> dict[str, str]:
        """
        The role as `createUser` wants it.
        """
        return {"role": self.name, "db": self.database}


@dataclass(frozen=True)
class User:
    """
    A user who logs in by SCRAM-SHA-256. The password is in neither `repr` nor `str`.
    """

    name: str
    password: str = field(repr=False)
    roles: tuple[Role, ...]

    @property
    def userinfo(self) -> str:
        """
        Name and password as they stand in a connection string: a secret.
        """
        return f"{quote(self.name, safe='')}:{quote(self.password, safe='')}"

    def options(self) -> dict[str, Any]:
        """
        Return the `MongoClient` options that log in as this user: a secret.
        """
        return {
            "username": self.name,
            "password": self.password,
            "authSource": USERS_DATABASE,
            "authMechanism": MECHANISM,
        }


@dataclass(frozen=True)
class Users:
    """
    The users every cluster with authentication has.

    - `application`: reads and writes one database, `shop`
    - `monitoring`: what the lab measures with: sees connections, operations and states, but no data
    - `admin`: may do everything; for setting up only
    """

    application: User
    monitoring: User
    admin: User


def new_users() -> Users:
    """
    Think up the users of one run; nobody but this process knows their passwords.
    """
    return Users(
        application=User("application", new_password(), (Role("readWrite", APPLICATION_DATABASE),)),
        monitoring=User("monitoring", new_password(), (Role("clusterMonitor"),)),
        admin=User("admin", new_password(), (Role("root"),)),
    )


def new_password() -> str:
    """
    Return 256 random bits as letters, digits, `-` and `_`.
    """
    return secrets.token_urlsafe(32)


def write_key_file(path: Path) -> None:
    """
    Write the secret by which members know each other; a server refuses one that others may read.
    """
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(base64.b64encode(secrets.token_bytes(96)))


def create_users(
    stranger: MongoClient[dict[str, Any]], administrator: MongoClient[dict[str, Any]], users: Users
) -> None:
    """
    Create the users of a new set with a key file, through two clients of its primary.

    From its own machine a server lets anybody create one user while it has none (the localhost exception). So the
    `stranger`, who has not logged in, creates the admin; and the `administrator`, a client with the admin's name and
    password that has not been used yet, creates the others.

    Source: https://www.mongodb.com/docs/v6.0/core/localhost-exception/
    """
    create_user(stranger, users.admin)
    create_user(administrator, users.application)
    create_user(administrator, users.monitoring)


def create_external_like_user(
    administrator: MongoClient[dict[str, Any]], name: str, *, roles: Sequence[Role], password: str | None = None
) -> User:
    """
    Create a user named as one that Atlas knows from outside, such as the ARN of an IAM role, and return it.

    MongoDB's own server cannot verify callers by IAM. A front that has verified one logs in as this user on the
    caller's behalf, and so the server enforces the caller's roles. Without a `password` it gets a random one.
    """
    user = User(name, new_password() if password is None else password, tuple(roles))
    create_user(administrator, user)
    return user


def create_user(administrator: MongoClient[dict[str, Any]], user: User) -> None:
    """
    Create a user and return when every member of the set knows it, so that it can log in to any of them.
    """
    members = len(administrator.admin.command("hello")["hosts"])
    administrator[USERS_DATABASE].command(
        "createUser",
        user.name,
        pwd=user.password,
        roles=[role.as_document() for role in user.roles],
        mechanisms=[MECHANISM],
        writeConcern={"w": members, "wtimeout": REPLICATION_TIMEOUT_MS},
    )
