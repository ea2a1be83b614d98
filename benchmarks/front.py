"""
What the Atlas-like cluster costs: its start, the front's share of an operation, and a tier's admission queue.

    python benchmarks/front.py [start] [overhead] [admission]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pymongo import MongoClient

from warmline.lab.atlas import AtlasCluster, AtlasSpec, start_atlas
from warmline.lab.atlas.front import AdmissionSample, FaceSpec, Front, FrontOptions
from warmline.lab.atlas.loop import LoopThread
from warmline.lab.aws import FunctionSpec, LambdaService
from warmline.lab.cluster import Cluster, start_cluster
from warmline.lab.measure import percentile
from warmline.lab.workspace import Workspace

KINDS = {
    "replica set, plain": AtlasSpec(tls=False, auth="none"),
    "replica set, TLS and users": AtlasSpec(),
    "replica set with the IAM front": AtlasSpec(auth="iam"),
    "sharded look, 30 faces": AtlasSpec(kind="sharded"),
}

OPERATIONS = 1_000
BATCH = 100

ENVIRONMENTS = 200
HANDLER = """
import os
from pymongo import MongoClient
client = MongoClient(os.environ["MONGODB_URI"], serverSelectionTimeoutMS=60_000, connectTimeoutMS=60_000)
def lambda_handler(event, context):
    return client.admin.command("ping")["ok"]
"""


def start() -> None:
    for name, spec in KINDS.items():
        seconds = []
        for _ in range(3):
            began = time.perf_counter()
            with Workspace() as workspace, start_atlas(workspace, spec):
                seconds.append(time.perf_counter() - began)
        print(f"start  {name:32} {statistics.median(seconds):5.2f} s (median of 3)")


def overhead() -> None:
    with Workspace() as workspace, start_cluster(workspace) as cluster, LoopThread() as loop:
        primary = cluster.primary()
        server = (primary.host, primary.port)
        faces = [FaceSpec("through the front", server), FaceSpec("as a mongos", server, mongos=True)]
        front = Front(faces, FrontOptions())
        loop.run(front.__aenter__())
        try:
            compare(cluster, {face.spec.name: face.port for face in front.faces})
        finally:
            loop.run(front.__aexit__())


def compare(cluster: Cluster, ports: dict[str, int]) -> None:
    """
    In turns, so that what else the machine does falls on all alike.
    """
    clients: dict[str, MongoClient[dict[str, Any]]] = {
        name: MongoClient("127.0.0.1", port, directConnection=True)
        for name, port in {"direct": cluster.primary().port, **ports}.items()
    }
    took: dict[str, list[float]] = {name: [] for name in clients}
    for _ in range(OPERATIONS // BATCH):
        for name, client in clients.items():
            orders = client["shop"]["orders"]
            for _ in range(BATCH):
                began = time.perf_counter()
                orders.find_one({})
                took[name].append((time.perf_counter() - began) * 1000)
    for client in clients.values():
        client.close()
    direct = percentile(took["direct"], 50)
    for name, values in took.items():
        median = percentile(values, 50)
        print(f"find_one  {name:20} {median:5.2f} ms (median of {OPERATIONS}), {median - direct:+.2f} ms")


def admission() -> None:
    with TemporaryDirectory() as code, Workspace() as workspace:
        (Path(code) / "app.py").write_text(HANDLER)
        with start_atlas(workspace, AtlasSpec(tier="M10")) as cluster:
            asyncio.run(burst(cluster, workspace, Path(code)))
            assert cluster.front is not None
            for face in cluster.front.faces:
                show_queue(face.spec.name, face.admission.samples)


def show_queue(name: str, samples: list[AdmissionSample]) -> None:
    first, last = samples[0], samples[-1]
    print(
        f"admission  {name}: {last.admitted} admitted, {last.dropped} dropped and {last.gone} gone in "
        f"{last.seconds - first.seconds:.1f} s, at most {max(sample.waiting for sample in samples)} waiting"
    )
    for second in range(0, int(last.seconds - first.seconds) + 2, 2):
        now = [sample for sample in samples if sample.seconds - first.seconds <= second][-1]
        row = f"{second:6} s {now.admitted:5} admitted {now.waiting:5} waiting  {'#' * (now.waiting // 4)}"
        print(row.rstrip())


async def burst(cluster: AtlasCluster, workspace: Workspace, code: Path) -> None:
    async with LambdaService(workspace, runnable=ENVIRONMENTS) as service:
        environment = cluster.environ({"MONGODB_URI": cluster.uri()})
        service.deploy(FunctionSpec("burst", code, environment=environment, timeout_seconds=120))
        began = time.perf_counter()
        results = await asyncio.gather(*(service.invoke("burst") for _ in range(ENVIRONMENTS)))
        latencies = [result.latency_ms for result in results]
        failures = Counter(result.payload.decode() for result in results if result.function_error)
        print(
            f"admission  {ENVIRONMENTS} environments at once against M10: {time.perf_counter() - began:.1f} s, "
            f"{failures.total()} failed, first answers p50 "
            f"{percentile(latencies, 50) / 1000:.1f} s, p99 {percentile(latencies, 99) / 1000:.1f} s"
        )
        for failure, count in failures.most_common():
            print(f"    {count} x {failure[:300]}")


if __name__ == "__main__":
    parts = {"start": start, "overhead": overhead, "admission": admission}
    for part in sys.argv[1:] or parts:
        parts[part]()
