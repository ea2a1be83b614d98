"""
The parts an experiment works with: a cluster with data in it, a Lambda service, and a sampler on every node.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from pymongo import MongoClient

from ..atlas import AtlasCluster, AtlasSpec, start_atlas
from ..atlas.front import Face
from ..atlas.spec import Auth
from ..aws import FunctionSpec, InvokeResult, LambdaService
from ..aws.concurrency import Quotas
from ..cluster import Cluster, ClusterSpec, start_cluster
from ..measure import ConnectionSampler, StateSampler
from ..workspace import Workspace
from .experiment import RunOptions

DOCUMENTS = 1000


@dataclass(frozen=True, slots=True)
class Bench:
    """
    A running lab. ``nodes`` maps a node's name to what it is called in results: ``primary``, ``secondary 1``…
    ``limit`` is how many connections a node admits.
    """

    cluster: Cluster
    service: LambdaService
    sampler: ConnectionSampler
    states: StateSampler
    nodes: dict[str, str]
    limit: int | None = None


@asynccontextmanager
async def open_bench(
    options: RunOptions,
    on_step: Callable[[str], None],
    *,
    runnable: int | None = None,
    servers: ClusterSpec | None = None,
) -> AsyncIterator[Bench]:
    """
    Start everything, and end everything with the block; ``runnable`` is the service's.
    """
    with Workspace() as workspace:
        # It waits for servers; meanwhile Ctrl-C and the progress display go on.
        cluster = await asyncio.to_thread(start_cluster, workspace, servers, options.mongod, on_step)
        with cluster:
            _fill(cluster.uri)
            async with LambdaService(workspace, runnable=runnable, quotas=_quotas(options)) as service:
                with ConnectionSampler(cluster.nodes) as sampler, StateSampler(service) as states:
                    bench = Bench(cluster, service, sampler, states, _roles(cluster))
                    with _announced(bench, options):
                        yield bench


@dataclass(frozen=True, slots=True)
class AtlasBench:
    """
    A running lab whose cluster is as on Atlas. ``nodes`` is as a ``Bench`` has it.
    """

    cluster: AtlasCluster
    service: LambdaService
    sampler: ConnectionSampler
    states: StateSampler
    nodes: dict[str, str]

    @property
    def limit(self) -> int | None:
        """
        How many connections the tier admits on a node; it counts a sharded cluster's on each mongos, and not here.
        """
        spec = self.cluster.spec
        return spec.limits.connections if spec.kind == "replica-set" else None

    @property
    def primary_face(self) -> Face:
        """
        Where clients connect to the primary; the cluster must have a front.
        """
        primary = self.cluster.servers.primary()
        assert self.cluster.front is not None, "only a front has faces: through_front=True"  # noqa: S101
        return next(face for face in self.cluster.front.faces if face.spec.server == (primary.host, primary.port))


@asynccontextmanager
async def open_atlas_bench(
    options: RunOptions,
    spec: AtlasSpec,
    on_step: Callable[[str], None],
    *,
    runnable: int | None = None,
    quotas: Quotas | None = None,
) -> AsyncIterator[AtlasBench]:
    """
    Start everything, and end everything with the block; ``runnable`` and ``quotas`` are the service's.
    """
    async with (
        open_atlas(options, spec, on_step) as (workspace, cluster),
        LambdaService(workspace, runnable=runnable, quotas=quotas or _quotas(options)) as service,
    ):
        with ConnectionSampler(cluster.servers.nodes) as sampler, StateSampler(service) as states:
            bench = AtlasBench(cluster, service, sampler, states, _roles(cluster.servers))
            with _announced(bench, options):
                yield bench


@asynccontextmanager
async def open_atlas(
    options: RunOptions, spec: AtlasSpec, on_step: Callable[[str], None]
) -> AsyncIterator[tuple[Workspace, AtlasCluster]]:
    """
    Start a cluster as on Atlas with data in it, in a workspace of its own.
    """
    with Workspace() as workspace, ExitStack() as stack:
        starting = start_atlas(workspace, spec, options.mongod, on_step)
        cluster = await asyncio.to_thread(stack.enter_context, starting)
        _fill(cluster.servers.uri)
        yield workspace, cluster


def deploy(
    service: LambdaService,
    cluster: Cluster | AtlasCluster,
    spec: FunctionSpec,
    options: RunOptions,
    *,
    uri_options: str = "",
    egress: str | None = None,
    auth: Auth | None = None,
) -> str:
    """
    Deploy a function that finds the cluster in ``MONGODB_URI``, and return what its connections are called.

    That is its name and version. warmline calls them so of its own accord; for all others it is in the URI. A
    ``MONGODB_URI`` that the function has already is left as it is.

    :param uri_options: further options, as ``maxPoolSize=1&retryWrites=true``
    :param egress: the address that its connections come from, on an Atlas-like cluster
    :param auth: how it logs in there; by default as the cluster is
    """
    spec = with_cluster(cluster, spec, uri_options=uri_options, egress=egress, auth=auth)
    service.deploy(dataclasses.replace(spec, start=options.start))
    return app_name(spec)


def app_name(spec: FunctionSpec) -> str:
    """
    What a function's connections are called.
    """
    return f"{spec.name}:{spec.version}"


def with_cluster(
    cluster: Cluster | AtlasCluster,
    spec: FunctionSpec,
    *,
    uri_options: str = "",
    egress: str | None = None,
    auth: Auth | None = None,
) -> FunctionSpec:
    """
    Describe the function that ``deploy`` deploys.
    """
    names = [] if spec.handler.startswith("with_warmline.") else [f"appName={app_name(spec)}"]
    further = "&".join([*([uri_options] if uri_options else []), *names])
    if isinstance(cluster, AtlasCluster):
        uri = cluster.uri(auth=auth, options=further)
        environment = cluster.environ({"MONGODB_URI": uri, **spec.environment}, egress=egress)
    else:
        environment = {"MONGODB_URI": f"{cluster.uri}&{further}".rstrip("&"), **spec.environment}
    return dataclasses.replace(spec, environment=environment)


async def invoke_all(service: LambdaService, name: str, events: Iterable[Mapping[str, Any]]) -> list[InvokeResult]:
    """
    Invoke a function with all these events at once, each in an environment of its own, and wait until all are frozen.
    """
    results = await asyncio.gather(*(service.invoke(name, json.dumps(event).encode()) for event in events))
    await service.settled()
    return results


@contextmanager
def _announced(bench: Bench | AtlasBench, options: RunOptions) -> Iterator[None]:
    options.on_bench(bench)
    try:
        yield
    finally:
        options.on_bench(None)


def _quotas(options: RunOptions) -> Quotas:
    """
    As AWS gives them, or what lets all environments of a large run start at once: this machine is slower than AWS.
    """
    usual = Quotas()
    return Quotas(max(usual.concurrency, options.environments), max(usual.scaling, options.environments))


def _fill(uri: str) -> None:
    with MongoClient[dict[str, object]](uri, appName="warmline-lab") as client:
        client["shop"]["orders"].insert_many([{"_id": number, "total": number % 97} for number in range(DOCUMENTS)])


def _roles(cluster: Cluster) -> dict[str, str]:
    return {node.name: role for role, node in cluster.roles().items()}
