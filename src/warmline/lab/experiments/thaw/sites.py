"""
Clusters for what happens during a freeze: one for all that concerns connections only, and one for each other event.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from ...atlas import AtlasCluster, AtlasSpec
from ...aws import LambdaService
from ..bench import open_atlas
from ..experiment import OnProgress, RunOptions


class Happening(Protocol):
    """
    Something that happens to a cluster, or on the way to it.
    """

    @property
    def own_cluster(self) -> bool:
        """
        Whether others must not share the cluster that it happens to.
        """


H = TypeVar("H", bound=Happening)


@dataclass(frozen=True, slots=True)
class Site(Generic[H]):
    """
    A cluster with its own Lambda service, for the events that can share it.
    """

    cluster: AtlasCluster
    service: LambdaService
    logs: Path
    events: tuple[H, ...]


@asynccontextmanager
async def open_sites(
    events: Sequence[H], options: RunOptions, on_progress: OnProgress, *, runnable: int
) -> AsyncIterator[list[Site[H]]]:
    """
    Start them one after the other.

    :param runnable: of each service: all that hang after their thaw do so at the same time
    """
    shared = tuple(event for event in events if not event.own_cluster)
    groups = ([shared] if shared else []) + [(event,) for event in events if event.own_cluster]
    async with AsyncExitStack() as stack:
        sites = []
        for number, group in enumerate(groups, 1):
            on_progress(f"starting cluster {number} of {len(groups)}", 0.03 * number)
            opening = open_atlas(options, AtlasSpec(through_front=True), lambda _: None)
            workspace, cluster = await stack.enter_async_context(opening)
            service = await stack.enter_async_context(LambdaService(workspace, runnable=runnable))
            sites.append(Site(cluster, service, workspace.logs, group))
        yield sites
