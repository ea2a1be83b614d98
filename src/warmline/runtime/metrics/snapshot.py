"""
What the metrics of one invocation are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class InvocationMetrics:
    """
    What happened to this process's connections since the invocation before ended; the first one's include Init.

    Connections are those of the pools: the driver publishes nothing about the connections of its monitors. Times are
    milliseconds.

    - ``connections_created``, and ``connections_closed`` by the driver's reason: ``idle``, ``stale``, ``error``,
      ``poolClosed``. One that failed while it was made is in both.
    - ``connections_open`` and ``connections_in_use``: now; ``connections_in_use_max``: the most at the same time
    - ``checkouts``: connections got from a pool, ``checkout_ms`` the sum of what that took, making a new connection
      included, ``checkout_ms_max`` the longest
    - ``checkouts_failed`` by the driver's reason: ``timeout``, ``poolClosed``, ``connectionError``
    - ``retries``: commands that the driver sent again. Reads are known to be retries from PyMongo 4.18 on.
    - ``heartbeats_failed``: looks of a monitor at its server that failed
    - ``thaws``: freezes after which the connections were renewed
    - ``connect_ms``: the sum over the connections made, from the beginning until they are ready. Its parts are
      ``connect_dns_ms``, ``connect_tcp_ms``, ``connect_tls_ms`` and ``connect_authentication_ms`` (with the driver's
      first message, ``hello``, in which authentication begins). Of an asynchronous client the first three are not
      known, nor are TCP and TLS where PyOpenSSL does the latter: they are left out of these sums.

    Source: https://github.com/mongodb/specifications/blob/master/source/connection-monitoring-and-pooling/

    .. versionadded:: 0.1
    """

    connections_created: int
    connections_closed: Mapping[str, int]
    connections_open: int
    connections_in_use: int
    connections_in_use_max: int
    checkouts: int
    checkout_ms: float
    checkout_ms_max: float
    checkouts_failed: Mapping[str, int]
    retries: int
    heartbeats_failed: int
    thaws: int
    connect_ms: float
    connect_dns_ms: float
    connect_tcp_ms: float
    connect_tls_ms: float
    connect_authentication_ms: float
