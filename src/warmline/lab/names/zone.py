"""
What the DNS server knows: the records of one domain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Built like Atlas's own (abcde.mongodb.net). RFC 6761 keeps `test` for this: no such name exists outside.
LAB_DOMAIN = "lab.mongodb.test"

TTL_SECONDS = 60

# What Atlas puts into a cluster's TXT record: options that every URI for the cluster has without naming them.
REPLICA_SET_OPTIONS = "authSource=admin&replicaSet=warmline"
SHARDED_OPTIONS = "authSource=admin"


@dataclass(frozen=True, slots=True)
class Member:
    """
    A server of a cluster: the name and port that drivers learn from DNS, and the address it listens on.
    """

    host: str
    port: int
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """
    The records of a domain; all names are full, in lower case, and have no dot at the end.

    :param srv: the name of a service, ``_mongodb._tcp.`` included, to the hosts and ports that offer it
    :param txt: a name to its text
    :param addresses: a host to its IPv4 address
    """

    domain: str
    srv: Mapping[str, Sequence[tuple[str, int]]]
    txt: Mapping[str, str]
    addresses: Mapping[str, str]

    def covers(self, name: str) -> bool:
        """
        Tell whether a name belongs to the domain, whether it exists or not.
        """
        return _is_at_or_below(name, self.domain)

    def has(self, name: str) -> bool:
        """
        Tell whether a name exists; one that only has names below it does, though it has no records.
        """
        return name == self.domain or any(
            _is_at_or_below(known, name) for records in (self.srv, self.txt, self.addresses) for known in records
        )


def cluster_zone(
    domain: str = LAB_DOMAIN, *, cluster: str = "cluster0", members: Sequence[Member], txt: str | None
) -> Zone:
    """
    Return the zone of one cluster as Atlas publishes it, for ``mongodb+srv://<cluster>.<domain>/``.

    :param txt: `REPLICA_SET_OPTIONS`, `SHARDED_OPTIONS`, or ``None`` for no TXT record

    Source: https://www.mongodb.com/docs/manual/reference/connection-string/#srv-connection-format
    """
    name = f"{cluster}.{domain}"
    return Zone(
        domain=domain,
        srv={f"_mongodb._tcp.{name}": [(member.host, member.port) for member in members]},
        txt={} if txt is None else {name: txt},
        addresses={member.host: member.address for member in members},
    )


def _is_at_or_below(name: str, ancestor: str) -> bool:
    return name == ancestor or name.endswith(f".{ancestor}")
