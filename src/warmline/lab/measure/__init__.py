"""
What the cluster and the caller see, from the server's side and the client's.
"""

from __future__ import annotations

from .connections import ConnectionSample, ConnectionSampler
from .latency import percentile
from .machine import machine, mean_memory_mib, versions
from .server_log import ConnectionsSeen, connections_seen

__all__ = [
    "ConnectionSample",
    "ConnectionSampler",
    "ConnectionsSeen",
    "connections_seen",
    "machine",
    "mean_memory_mib",
    "percentile",
    "versions",
]
