"""
What an Atlas-like cluster is to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...facts import AtlasTier, UnknownTierError, tier
from ..cluster import ClusterSpec
from ..errors import UnusableCluster
from .front import AccessList, Limits

Kind = Literal["replica-set", "sharded"]
Auth = Literal["none", "scram", "iam"]


@dataclass(frozen=True, slots=True)
class AtlasSpec:
    """
    One cluster as a function meets it.

    - ``kind``: a replica set, or what looks like a sharded cluster: so many ``faces`` that answer as mongos
    - ``members``: how many servers stand behind it
    - ``tls``: Atlas never is without; a plain one can have neither IAM, nor an access list, nor a tier
    - ``auth``: nobody logs in, users log in by SCRAM, or by SCRAM and MONGODB-AWS
    - ``tier``: the limits of an Atlas tier, ``M10`` say, on every node
    - ``access_list``: who may connect; ``None`` lets everybody
    - ``through_front``: put the front before the servers even if nothing else asks for it, to change the network

    :raises UnusableCluster: what is asked for does not go together, or is not known.
    """

    kind: Kind = "replica-set"
    members: int = 3
    tls: bool = True
    auth: Auth = "scram"
    tier: str | None = None
    faces: int = 30
    access_list: AccessList | None = None
    through_front: bool = False

    def __post_init__(self) -> None:
        if self.kind not in {"replica-set", "sharded"}:
            raise UnusableCluster(f"a cluster is a replica-set or sharded, not {self.kind!r}")
        if self.auth not in {"none", "scram", "iam"}:
            raise UnusableCluster(f"auth is none, scram or iam, not {self.auth!r}")
        if not 1 <= self.faces <= 100:
            raise UnusableCluster(f"a sharded cluster has 1 to 100 faces here, not {self.faces}")
        if self.kind == "replica-set" and self.needs_front and not self.tls:
            raise UnusableCluster(
                "a replica set without TLS tells its clients its members' own addresses, past IAM, limits and access "
                "list: leave TLS on"
            )
        # Known or not is to be said now, not when the cluster starts.
        _ = self.limits
        try:
            ClusterSpec(members=self.members)
        except ValueError as error:
            raise UnusableCluster(str(error)) from None

    @property
    def needs_front(self) -> bool:
        """
        Whether clients connect to a front and not to the servers themselves.
        """
        asked = self.through_front or self.tier is not None or self.access_list is not None
        return asked or self.kind == "sharded" or self.auth == "iam"

    @property
    def limits(self) -> Limits:
        """
        What the tier allows on every node.
        """
        if self.tier is None:
            return Limits()
        found = _tier(self.tier)
        return Limits(found.connections_per_node, found.new_connections_per_second)


def _tier(name: str) -> AtlasTier:
    try:
        return tier(name)
    except UnknownTierError as error:
        raise UnusableCluster(str(error)) from None
