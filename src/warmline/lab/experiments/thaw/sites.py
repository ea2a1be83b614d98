"""
Clusters for what happens during a freeze: one for all that concerns connections only, and one for each other event;
and the pace at which environments start there and thaw.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from ...atlas import AtlasCluster, AtlasSpec
from ...aws import InvokeResult, LambdaService
from ..bench import open_atlas
from ..experiment import OnProgress, RunOptions

# Two at a time while they start, so that none waits for a core.
STARTING = 2
# What was on its way when the last environment froze has arrived.
QUIET_SECONDS = 1.0
# The next environment thaws when the one before has answered, or after this time: most answer at once, and those that
# wait for the network do not disturb.
_NEXT_THAW_SECONDS = 0.5


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


async def thaw_all(
    invocations: Sequence[Callable[[], Coroutine[Any, Any, InvokeResult]]], on_thawed: Callable[[int], None]
) -> list[InvokeResult]:
    """
    Make the first invocation of each frozen environment, one after the other, and wait for all answers.

    :param on_thawed: hears how many have been thawed
    """
    thaws = []
    for invoke in invocations:
        thaws.append(asyncio.create_task(invoke()))
        await asyncio.wait(thaws[-1:], timeout=_NEXT_THAW_SECONDS)
        on_thawed(len(thaws))
    return await asyncio.gather(*thaws)
