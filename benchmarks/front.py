"""
What the Atlas-like cluster costs: its start, the front's share of an operation, and a tier's admission queue.

    python benchmarks/front.py [start] [overhead] [admission]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pymongo import MongoClient

from warmline.lab.atlas import AtlasSpec, start_atlas
from warmline.lab.atlas.front import FaceSpec, Front, FrontOptions
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
                assert face.admission is not None
                samples = face.admission.samples
                last = samples[-1]
                print(
                    f"admission  {face.spec.name}: {last.admitted} admitted and {last.dropped} dropped in "
                    f"{last.seconds - samples[0].seconds:.1f} s, at most {max(s.waiting for s in samples)} waiting"
                )
                began = samples[0].seconds
                for second in range(0, int(last.seconds - began) + 1, 2):
                    now = [s for s in samples if s.seconds - began <= second][-1]
                    print(f"    after {second:3} s: {now.admitted:4} admitted, {now.waiting:4} waiting")


async def burst(cluster: Any, workspace: Workspace, code: Path) -> None:
    uri = cluster.uri()
    async with LambdaService(workspace, runnable=ENVIRONMENTS) as service:
        environment = cluster.environ({"MONGODB_URI": uri})
        service.deploy(FunctionSpec("burst", code, environment=environment, timeout_seconds=120))
        began = time.perf_counter()
        results = await asyncio.gather(*(service.invoke("burst") for _ in range(ENVIRONMENTS)))
        latencies = [result.latency_ms for result in results]
        print(
            f"admission  {ENVIRONMENTS} environments at once against M10: {time.perf_counter() - began:.1f} s, "
            f"{sum(r.function_error is not None for r in results)} failed, first answers p50 "
            f"{percentile(latencies, 50) / 1000:.1f} s, p99 {percentile(latencies, 99) / 1000:.1f} s"
        )


if __name__ == "__main__":
    parts = {"start": start, "overhead": overhead, "admission": admission}
    for part in sys.argv[1:] or parts:
        parts[part]()
