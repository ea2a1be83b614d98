"""
The waves of inserts, one for each fault.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pymongo import MongoClient
from pymongo.read_concern import ReadConcern

from ...atlas import AtlasCluster
from ...aws import FunctionSpec, InvokeResult, LambdaService
from ...workspace import Workspace
from ..bench import deploy
from ..experiment import OnProgress, RunOptions, Variant
from .books import compare, read_entries
from .faults import FAULTS, Fault

_FUNCTIONS = Path(__file__).parents[1] / "functions" / "acknowledged_writes"

TIMEOUT_SECONDS = 10.0

# As the strings have it that Atlas hands out.
URI_OPTIONS = "retryWrites=true&w=majority"


VARIANTS = (
    Variant("documented", "MongoDB's documented example", "documented"),
    Variant("warmline", "warmline", "with_warmline"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """
    How many numbers each variant inserts, and how many in an invocation.

    There is a wave for each fault, which comes when the wave has run for ``fault_after_seconds``.
    """

    inserts: int = 10_000
    batch: int = 10
    faults: Sequence[Fault] = FAULTS
    variants: Sequence[Variant] = VARIANTS
    fault_after_seconds: float = 0.5

    def wave(self, fault: Fault) -> list[range]:
        """
        The numbers that are inserted when this fault comes, invocation by invocation.
        """
        firsts = range(self.faults.index(fault) * self.batch, self.inserts, len(self.faults) * self.batch)
        return [range(first, min(first + self.batch, self.inserts)) for first in firsts]


@dataclass(frozen=True, slots=True)
class VariantRun:
    """
    What one variant left behind.
    """

    results: tuple[InvokeResult, ...]
    counts: Mapping[str, float]


async def run_variant(
    variant: Variant,
    plan: Plan,
    workspace: Workspace,
    cluster: AtlasCluster,
    options: RunOptions,
    on_progress: OnProgress,
) -> VariantRun:
    """
    Insert all the numbers, then look which are there.
    """
    # All environments run at the same time: what is in flight when a fault comes is what this is about.
    async with LambdaService(workspace, runnable=options.environments) as service:
        functions = [f"acknowledged-writes-{variant.name}-{number}" for number in range(options.environments)]
        for function in functions:
            spec = FunctionSpec(
                function, _FUNCTIONS, f"{variant.handler}.lambda_handler", timeout_seconds=TIMEOUT_SECONDS
            )
            deploy(service, cluster, spec, options, uri_options=URI_OPTIONS)

        async def insert(function: str, batches: Sequence[range]) -> list[InvokeResult]:
            events = ({"collection": variant.name, "numbers": list(batch)} for batch in batches)
            return [await service.invoke(function, json.dumps(event).encode()) for event in events]

        on_progress("starting its environments", 0.0)
        results = await asyncio.gather(*(insert(function, [range(0)]) for function in functions))
        in_time = 0
        for number, fault in enumerate(plan.faults):
            on_progress(fault.label, number / len(plan.faults))
            batches = plan.wave(fault)
            wave = asyncio.gather(
                *(insert(function, batches[place :: len(functions)]) for place, function in enumerate(functions))
            )
            await asyncio.wait((wave,), timeout=plan.fault_after_seconds)
            in_time += not wave.done()
            await asyncio.to_thread(fault.happen, cluster)
            results += await wave
    logs = workspace.logs.glob(f"acknowledged-writes-{variant.name}-*.log")
    entries = [entry for log in logs for entry in read_entries(log.read_text(errors="replace"))]
    there = await asyncio.to_thread(documents_by_number, cluster, variant.name)
    waves = {fault.name: itertools.chain.from_iterable(plan.wave(fault)) for fault in plan.faults}
    all_results = tuple(itertools.chain.from_iterable(results))
    counts = {
        **compare(waves, entries, there),
        "killed": sum(b"Sandbox.Timedout" in result.payload for result in all_results),
        "faults": in_time,
    }
    return VariantRun(all_results, counts)


def documents_by_number(cluster: AtlasCluster, collection: str) -> dict[int, int]:
    """
    How many documents hold which number, as a majority of the members has them.
    """
    with MongoClient[dict[str, int]](cluster.servers.uri, appName="warmline-lab") as client:
        numbers = client["shop"].get_collection(collection, read_concern=ReadConcern("majority"))
        counted = numbers.aggregate([{"$group": {"_id": "$number", "documents": {"$sum": 1}}}])
        return {group["_id"]: group["documents"] for group in counted}
