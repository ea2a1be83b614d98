"""
One experiment a module: what breaking a practice costs, measured.
"""

from __future__ import annotations

from . import (
    access_list,
    acknowledged_writes,
    async_loop,
    budget,
    cold_start,
    connect_at_init,
    deadline,
    deploy,
    event_loop,
    fault_matrix,
    iam_auth,
    idle_time,
    limit_hosts,
    managed_instances,
    memory,
    peers,
    pool_size,
    reuse_client,
    serverless_benchmark,
    shutdown,
    snapstart,
    storm,
    thaw,
)
from .experiment import Experiment, OnBench, OnProgress, RunOptions
from .result import ConnectionSeries, Event, ExperimentResult, Latencies, Metric, StateSeries, Waits

# In the order of the practices. A new experiment is a module and a line here.
EXPERIMENTS = (
    reuse_client.EXPERIMENT,
    limit_hosts.EXPERIMENT,
    event_loop.EXPERIMENT,
    cold_start.EXPERIMENT,
    connect_at_init.EXPERIMENT,
    memory.EXPERIMENT,
    iam_auth.EXPERIMENT,
    access_list.EXPERIMENT,
    deadline.EXPERIMENT,
    shutdown.EXPERIMENT,
    deploy.EXPERIMENT,
    idle_time.EXPERIMENT,
    thaw.EXPERIMENT,
    acknowledged_writes.EXPERIMENT,
    fault_matrix.EXPERIMENT,
    async_loop.EXPERIMENT,
    snapstart.EXPERIMENT,
    managed_instances.EXPERIMENT,
    pool_size.EXPERIMENT,
    budget.EXPERIMENT,
    storm.EXPERIMENT,
    serverless_benchmark.EXPERIMENT,
    peers.EXPERIMENT,
)

__all__ = [
    "EXPERIMENTS",
    "ConnectionSeries",
    "Event",
    "Experiment",
    "ExperimentResult",
    "Latencies",
    "Metric",
    "OnBench",
    "OnProgress",
    "RunOptions",
    "StateSeries",
    "Waits",
]
