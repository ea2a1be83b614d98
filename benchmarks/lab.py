"""
What the lab itself costs: starts, memory, round trips, and the sampler.

    python benchmarks/lab.py [ENVIRONMENTS]
"""

from __future__ import annotations

import asyncio
import sys
import time
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


def cpu_seconds(process: psutil.Process) -> float:
    """
    Of a process and of all it has started.
    """
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


async def starts(service: LambdaService, handler: str, environments: int) -> None:
    """
    All at once, as a burst that the service lets through a few at a time.
    """
    lab = psutil.Process()
    own, began = time.process_time(), time.perf_counter()
    all_before = cpu_seconds(lab)
    results = await asyncio.gather(*(service.invoke(handler, b"1") for _ in range(environments)))
    await service.settled()
    took = time.perf_counter() - began
    own = time.process_time() - own
    everything = cpu_seconds(lab) - all_before
    errors = sum(result.function_error is not None for result in results)
    memory = mean_memory_mib(environment.pid for environment in service.function(handler).environments)
    print(
        f"{handler}: {environments} environments, {environments / took:.0f} started per second, {errors} errors; CPU "
        f"per start {1000 * own / environments:.1f} ms of the lab's process and {1000 * everything / environments:.1f} "
        f"ms of all; {memory:.1f} MiB each (PSS), {lab.memory_info().rss / 2**20:.0f} MiB the lab",
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
    servers = [psutil.Process(mongod.pid) for mongod in cluster.mongods]
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
            before = [process.cpu_times() for process in servers]
            own = time.thread_time()
            began = time.perf_counter()
            for _ in range(SAMPLES):
                sampling.now()
            took = time.perf_counter() - began
            own = time.thread_time() - own
            spent = sum(
                after.user + after.system - was.user - was.system
                for was, after in zip(before, (process.cpu_times() for process in servers), strict=True)
            )
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
                await starts(service, handler, environments)
                began = time.perf_counter()
                await service.end(handler, how="shutdown")
                print(f"{handler}: all ended in {time.perf_counter() - began:.1f} s", flush=True)
        sampler(cluster)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
