"""
The client options that warmline sets when neither the caller nor the URI does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from .environment import function_and_version

_PAGE = "https://www.mongodb.com/docs/atlas/manage-connections-aws-lambda/"
_SPECIFICATIONS = "https://github.com/mongodb/specifications/blob/master/source/"


class Default(NamedTuple):
    """
    One option: PyMongo's name for it, our value, why, and where the fact behind it stands.

    A ``value`` that can be called is called for every client; ``None`` leaves the option unset.
    """

    name: str
    value: int | str | Callable[[], str | None] | None
    reason: str
    source: str


DEFAULTS = (
    Default(
        "maxIdleTimeMS",
        60_000,
        "A connection that was idle for a minute is closed rather than reused: after a thaw its path may be gone.",
        _PAGE,
    ),
    Default(
        "minPoolSize",
        None,
        "PyMongo keeps this many connections to every member, not to the primary alone: "
        "on three members a 1 makes 6 connections of 4.",
        _SPECIFICATIONS + "connection-monitoring-and-pooling/connection-monitoring-and-pooling.md",
    ),
    Default(
        "maxPoolSize",
        5,
        "An environment serves one request at a time, so one connection does; "
        "five leave room for a handler with threads and bound what a fleet can open.",
        _SPECIFICATIONS + "connection-monitoring-and-pooling/connection-monitoring-and-pooling.md",
    ),
    Default(
        "appName",
        function_and_version,
        "Function name and version, so that the cluster's operator sees whose connections these are.",
        _SPECIFICATIONS + "mongodb-handshake/handshake.md",
    ),
    Default(
        "serverSelectionTimeoutMS",
        15_000,
        "After its primary is lost a cluster elects another within 12 s, and a shorter wait would fail what could "
        "succeed. Inside @handler the invocation's deadline shortens it, so that the real error comes before "
        "'Task timed out'.",
        "https://www.mongodb.com/docs/manual/replication/#automatic-failover",
    ),
    Default(
        "connectTimeoutMS",
        10_000,
        "As long as Init may take. A cluster that admits few new connections in a second lets the others wait, and who "
        "gives up early begins again at the end of the queue. PyMongo's 20 s is also how long a monitor waits on a "
        "dead connection.",
        _SPECIFICATIONS + "server-discovery-and-monitoring/server-monitoring.md",
    ),
)


SRV_MAX_HOSTS = Default(
    "srvMaxHosts",
    3,
    "A sharded cluster of ten shards has thirty mongos, and a driver connects to all of them. Only on Lambda, with "
    "`mongodb+srv://`, and where the cluster's TXT record names neither `replicaSet` nor `loadBalanced`.",
    _PAGE,
)

# Those that depend on the cluster (`runtime/start.py`).
PER_CLUSTER = (
    SRV_MAX_HOSTS,
    Default(
        "tlsCAFile",
        "the roots that Atlas uses",
        "Reading the system's 140 root certificates takes some 20 ms of CPU for every client. Only on Lambda, for "
        "hosts below `mongodb.net`, and unless an option or `SSL_CERT_FILE` says whom to trust. The system's roots "
        "are added as soon as a certificate is not signed by one of the few.",
        "https://www.mongodb.com/docs/atlas/reference/faq/security/",
    ),
)


def defaults_beside(set_already: Collection[str]) -> dict[str, Any]:
    """
    The defaults for the options that are not set already (lower-case names): the caller and the URI win.
    """
    values = {
        default.name: default.value() if callable(default.value) else default.value
        for default in DEFAULTS
        if default.name.lower() not in set_already
    }
    return {name: value for name, value in values.items() if value is not None}
