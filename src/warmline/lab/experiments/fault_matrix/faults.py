"""
What happens while environments are frozen, and lasts until the first invocation after the thaw has ended.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from ...atlas import AtlasCluster
from ...atlas.front import CLEAR, Network
from ...aws.secrets_endpoint import SecretsEndpoint
from ...cluster.replica_set import connect_as
from ...cluster.users import APPLICATION_DATABASE, USERS_DATABASE, Role, User, create_user, new_password
from ...names.answers import Failure
from ..thaw.cases import EVENTS, Event

SECRET = "orders"  # noqa: S105  its name

_EVENTS = {event.name: event for event in EVENTS}


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where something happens: a cluster, the address that connections come from, and the secrets of the functions.

    Who blocks an operation in the server holds ``block``.
    """

    cluster: AtlasCluster
    source: str
    secrets: SecretsEndpoint
    block: asyncio.Lock = field(default_factory=asyncio.Lock)


def _clear(place: Place) -> None:
    place.cluster.lay(CLEAR, source=place.source)


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One of them; ``heal`` ends it.

    - ``own_cluster``: whether it is the cluster that it happens to, which others must not share
    - ``from_secret``: whether the functions have their connection string from a secret
    - ``ends``: whether an environment gets SIGTERM in the middle of its first operation after the thaw
    """

    name: str
    label: str
    happen: Callable[[Place], None]
    heal: Callable[[Place], None] = _clear
    own_cluster: bool = False
    from_secret: bool = False
    ends: bool = False


def _as_in_thaw(name: str, label: str) -> Fault:
    event: Event = _EVENTS[name]
    return Fault(name, label, lambda place: event.happen(place.cluster, place.source), own_cluster=event.own_cluster)


def _reset(place: Place) -> None:
    _EVENTS["reset"].happen(place.cluster, place.source)


def _refuse(place: Place) -> None:
    place.cluster.lay(Network(cut="reset"), source=place.source)


def _lose_names(place: Place) -> None:
    """
    With the connections too: as long as there are any, nobody asks for a name.
    """
    _answer_names(place, Failure.SILENT)
    _reset(place)


def _find_names(place: Place) -> None:
    _answer_names(place, Failure.NONE)


def _answer_names(place: Place, failure: Failure) -> None:
    names = place.cluster.names
    names.behaviour = dataclasses.replace(names.behaviour, failure=failure)


def new_secret(place: Place) -> None:
    """
    Make the secret: the connection string of a user of its own.
    """
    user = User("rotating", new_password(), (Role("readWrite", APPLICATION_DATABASE),))
    users = place.cluster.servers.users
    assert users is not None, "the cluster has users"  # noqa: S101
    with closing(connect_as(place.cluster.servers.primary(), users.admin)) as administrator:
        create_user(administrator, user)
    _store(place, user)


def _rotate(place: Place) -> None:
    """
    Change the password, as Secrets Manager does it for a single user, and lose the connections that are logged in.
    """
    user = User("rotating", new_password(), ())
    users = place.cluster.servers.users
    assert users is not None, "the cluster has users"  # noqa: S101
    with closing(connect_as(place.cluster.servers.primary(), users.admin)) as administrator:
        administrator[USERS_DATABASE].command("updateUser", user.name, pwd=user.password)
    _store(place, user)
    _reset(place)


def _store(place: Place, user: User) -> None:
    users = place.cluster.servers.users
    assert users is not None, "the cluster has users"  # noqa: S101
    uri = place.cluster.uri(options="retryWrites=true&w=majority")
    place.secrets.put(SECRET, uri.replace(users.application.userinfo, user.userinfo))


FAULTS = (
    _as_in_thaw("nothing", "nothing"),
    _as_in_thaw("reset", "connections reset"),
    _as_in_thaw("server_restart", "primary restarted"),
    _as_in_thaw("step_down", "primary stepped down"),
    _as_in_thaw("old_flows_black_holed", "old connections black-holed"),
    _as_in_thaw("all_black_holed", "everything black-holed"),
    Fault("refused", "connections refused", _refuse),
    Fault("names_lost", "DNS lost", _lose_names, _find_names, own_cluster=True),
    Fault("credentials_rotated", "credentials rotated", _rotate, from_secret=True),
    Fault("sigterm", "SIGTERM in an operation", lambda _place: None, ends=True),
)
