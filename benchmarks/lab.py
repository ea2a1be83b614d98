"""
What the lab itself costs: starts, memory, round trips, and the sampler.

    python benchmarks/lab.py [ENVIRONMENTS]
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
from pymongo import MongoClient

from warmline.lab.aws import FunctionSpec, LambdaService, Quotas
from warmline.lab.cluster import Cluster, ClusterSpec, start_cluster
from warmline.lab.measure import ConnectionSampler, mean_memory_mib, percentile
from warmline.lab.workspace import Workspace

FUNCTIONS = Path(__file__).parent / "functions" / "lab"
ROUND_TRIPS = 2000
CONNECTIONS = (0, 500, 1000, 2000, 4000)
SAMPLES = 10


def spec(handler: str, cluster: Cluster) -> FunctionSpec:
    return FunctionSpec(
        handler,
        FUNCTIONS,
        f"{handler}.lambda_handler",
        environment={"MONGODB_URI": cluster.uri},
        timeout_seconds=60,
    )


def cpu_seconds(pids: Iterable[int]) -> float:
    """
    Of processes that have not ended.
    """
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(each.user + each.system for each in times)


async def starts(service: LambdaService, cluster: Cluster, handler: str, environments: int) -> None:
    """
    All at once, as a burst that the service lets through a few at a time.
    """
    servers = [mongod.pid for mongod in cluster.mongods]
    own, of_servers, began = time.process_time(), cpu_seconds(servers), time.perf_counter()
    results = await asyncio.gather(*(service.invoke(handler, b"1") for _ in range(environments)))
    await service.settled()
    took = time.perf_counter() - began
    own, of_servers = time.process_time() - own, cpu_seconds(servers) - of_servers
    errors = sum(result.function_error is not None for result in results)
    pids = [environment.pid for environment in service.function(handler).environments]
    memory = mean_memory_mib(pids[:: max(1, len(pids) // 100)])
    shares = [1000 * seconds / environments for seconds in (own, cpu_seconds(pids), of_servers)]
    print(
        f"{handler}: {environments} environments, {environments / took:.0f} started per second, {errors} errors; CPU "
        f"per start {shares[0]:.1f} ms of the lab's process, {shares[1]:.1f} ms of the environment's and "
        f"{shares[2]:.1f} ms of the servers; {memory:.1f} MiB each (PSS), "
        f"{psutil.Process().memory_info().rss / 2**20:.0f} MiB the lab",
        flush=True,
    )


async def round_trips(service: LambdaService, handler: str) -> None:
    """
    One after the other, so that all go to one environment; it is frozen and thawed each time.
    """
    own = time.process_time()
    results = [await service.invoke(handler, b"1") for _ in range(ROUND_TRIPS)]
    own = time.process_time() - own
    latencies = [result.latency_ms for result in results]
    durations = [result.duration_ms for result in results]
    print(
        f"{handler}: round trip p50 {percentile(latencies, 50):.2f} ms, p99 {percentile(latencies, 99):.2f} ms; "
        f"without the thaw p50 {percentile(durations, 50):.2f} ms; {1e6 * own / ROUND_TRIPS:.0f} us of CPU in the lab",
        flush=True,
    )


def sampler(cluster: Cluster) -> None:
    """
    What a sample of all nodes costs them and the lab, by the number of connections that stand open.
    """
    servers = [mongod.pid for mongod in cluster.mongods]
    with ConnectionSampler(cluster.nodes, interval_seconds=3600) as sampling:
        clients: list[MongoClient[dict[str, Any]]] = []
        for count in CONNECTIONS:
            # One connection for each of them, and no monitor to disturb.
            missing = count - len(clients) * 100
            for _ in range(missing // 100):
                clients.append(MongoClient(cluster.uri, minPoolSize=100, maxPoolSize=100))
                clients[-1].admin.command("ping")
            deadline = time.monotonic() + 30
            while sum(sampling.now()[node.name].current for node in cluster.nodes) < count * len(cluster.nodes):
                assert time.monotonic() < deadline, "the pools were not filled"
                time.sleep(0.2)
            before = cpu_seconds(servers)
            own = time.thread_time()
            began = time.perf_counter()
            for _ in range(SAMPLES):
                sampling.now()
            took = time.perf_counter() - began
            own = time.thread_time() - own
            spent = cpu_seconds(servers) - before
            print(
                f"sampler: {count} connections a node: {1000 * took / SAMPLES:.1f} ms a sample of all nodes, CPU "
                f"{1000 * spent / SAMPLES:.1f} ms of the servers and {1000 * own / SAMPLES:.1f} ms of the lab",
                flush=True,
            )
        for client in clients:
            client.close()


async def main(environments: int) -> None:
    with Workspace() as workspace, start_cluster(workspace, ClusterSpec(members=3)) as cluster:
        with MongoClient[dict[str, Any]](cluster.uri) as client:
            client["shop"]["orders"].insert_one({"_id": 1, "total": 7})
        quotas = Quotas(concurrency=2 * environments, scaling=2 * environments)
        async with LambdaService(workspace, quotas=quotas) as service:
            for handler in ("nothing", "find"):
                service.deploy(spec(handler, cluster))
                await round_trips(service, handler)
                await service.end(handler, how="kill")
            for handler in ("nothing", "find"):
                await starts(service, cluster, handler, environments)
                began = time.perf_counter()
                await service.end(handler, how="shutdown")
                print(f"{handler}: all ended in {time.perf_counter() - began:.1f} s", flush=True)
        sampler(cluster)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
