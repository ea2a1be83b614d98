"""
A cluster as a function meets it on Atlas: TLS, names, users, IAM, mongos, limits, access list, network.
"""

from __future__ import annotations

from .cluster import AtlasCluster, start_atlas
from .spec import AtlasSpec

__all__ = ["AtlasCluster", "AtlasSpec", "start_atlas"]
