"""
Runs load against functions that are deployed already, one after the other, and tells of it like an experiment.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack

from ..experiments.experiment import OnProgress
from ..experiments.result import ExperimentResult
from ..measure import ConnectionSample
from .client import RemoteTarget
from .figures import result_of
from .processes import drive_in_processes
from .spec import RemoteRun, RemoteVariant, Seen
from .watch import Watched, watch

# From a function's last answer to the count of what it holds at rest.
_REST_SECONDS = 2.0


async def run_remote(run: RemoteRun, on_progress: OnProgress) -> ExperimentResult:
    """
    Give each variant the load, and count.

    :raises RemoteRefused: a function may not be invoked.
    :raises UnusableCluster: the cluster can't be reached, or not be watched.
    """
    on_progress("asking whether the functions may be invoked", 0.0)
    with RemoteTarget(run.where) as target:
        for variant in run.variants:
            await asyncio.to_thread(target.check, variant.function)
    with ExitStack() as stack:
        watched = None
        if run.cluster_uri is not None:
            on_progress("connecting to the cluster's nodes", 0.02)
            watched = await asyncio.to_thread(stack.enter_context, watch(run.cluster_uri))
        seen = []
        for number, variant in enumerate(run.variants):
            on_progress(f"{variant.label}: load", 0.05 + 0.9 * number / len(run.variants))
            seen.append(await _see(run, variant, watched))
        return result_of(run, seen, watched)


async def _see(run: RemoteRun, variant: RemoteVariant, watched: Watched | None) -> Seen:
    before = await _now(watched)
    started = time.monotonic()
    calls = await drive_in_processes(run.where, variant.function, run.loads, run.payload)
    loaded = time.monotonic() - started
    await asyncio.sleep(_REST_SECONDS if watched else 0.0)
    at_rest = await _now(watched)
    samples = tuple(one for one in watched.sampler.samples if one.seconds >= started) if watched else ()
    return Seen(variant, tuple(calls), started, loaded, before, at_rest, samples)


async def _now(watched: Watched | None) -> dict[str, ConnectionSample]:
    return dict(await asyncio.to_thread(watched.sampler.now)) if watched else {}
