"""
A front in a loop of its own, so that blocking clients can talk to it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from warmline.lab.atlas.front import FaceSpec, Front, FrontOptions
from warmline.lab.cluster import Cluster

StartFront = Callable[[Sequence[FaceSpec], FrontOptions], Front]


@pytest.fixture
def start_front() -> Iterator[StartFront]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    fronts: list[Front] = []

    def start(faces: Sequence[FaceSpec], options: FrontOptions) -> Front:
        front = Front(faces, options)
        asyncio.run_coroutine_threadsafe(front.__aenter__(), loop).result(30)
        fronts.append(front)
        return front

    yield start
    for front in fronts:
        asyncio.run_coroutine_threadsafe(front.__aexit__(), loop).result(30)
    left = asyncio.run_coroutine_threadsafe(_others(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    assert left == []


async def _others() -> list[str]:
    return [repr(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()]


@pytest.fixture
def face_of(single: Cluster) -> FaceSpec:
    """
    A face before the single node.
    """
    (node,) = single.nodes
    return FaceSpec("node", (node.host, node.port))
