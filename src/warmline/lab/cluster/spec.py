"""
What servers a cluster is to have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# What a member takes for itself: the server refuses to start with fewer than 5, the lab needs 4 of them to form the
# set, and each other member holds up to 4. With fewer the set takes ten seconds more to form, or never does.
LEAST_CONNECTIONS = 5
LEAST_CONNECTIONS_PER_PEER = 4


@dataclass(frozen=True)
class ClusterSpec:
    """
    What to start.

    - `members`: how many data-bearing, voting members: as many as MongoDB elects well with
    - `tls`: whether they accept TLS only
    - `auth`: whether clients must log in, by SCRAM
    - `max_connections`: how many connections each member takes, those of members and the lab included
    """

    members: int = 3
    tls: bool = False
    auth: Literal["none", "scram"] = "none"
    max_connections: int | None = None

    def __post_init__(self) -> None:
        if self.members not in {1, 3, 5, 7}:
            msg = f"a cluster has 1, 3, 5 or 7 members, not {self.members}: an even number elects worse, 7 may vote"
            raise ValueError(msg)
        if self.auth not in {"none", "scram"}:
            msg = f"auth is 'none' or 'scram', not {self.auth!r}: a mongod of one's own verifies nobody in another way"
            raise ValueError(msg)
        least = LEAST_CONNECTIONS + LEAST_CONNECTIONS_PER_PEER * (self.members - 1)
        if self.max_connections is not None and self.max_connections < least:
            msg = (
                f"max_connections is at least {least} for {self.members} members, not {self.max_connections}:"
                " they and the lab need some themselves"
            )
            raise ValueError(msg)
