"""
What the cluster and the caller see, from the server's side and the client's.
"""

from __future__ import annotations

from .connections import NOT_CLIENTS, UNNAMED, ConnectionSample, ConnectionSampler, sample
from .latency import percentile
from .machine import machine, mean_memory_mib, versions
from .server_log import ConnectionLife, connection_lives, logins, most_open, refused_connections
from .states import StateSample, StateSampler

__all__ = [
    "NOT_CLIENTS",
    "UNNAMED",
    "ConnectionLife",
    "ConnectionSample",
    "ConnectionSampler",
    "StateSample",
    "StateSampler",
    "connection_lives",
    "logins",
    "machine",
    "mean_memory_mib",
    "most_open",
    "percentile",
    "refused_connections",
    "sample",
    "versions",
]
