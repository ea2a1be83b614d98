"""
The measurement: all environments are frozen at the same time, the faults happen, and each is invoked twice more.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ...aws.secrets_endpoint import SecretsEndpoint
from ...cluster.faults import wait_until_whole
from ...errors import EnvironmentStartError
from ..experiment import OnProgress, RunOptions
from ..thaw.sites import QUIET_SECONDS, STARTING, Site, open_sites, thaw_all
from .cells import Cell, Function, Plan, deploy_function
from .faults import Fault, Place, new_secret

# An election, at MongoDB's own timeout, and what the servers' start takes on a busy machine.
_WHOLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Measurement:
    """
    All of it, and what it was measured on.
    """

    cells: tuple[Cell, ...]
    plan: Plan
    mongod_version: str
    freezer: str
    clusters: int


async def measure(plan: Plan, options: RunOptions, on_progress: OnProgress) -> Measurement:
    """
    Run the plan.
    """
    runnable = len(plan.faults) * len(plan.clocks) * len(plan.variants)
    opening = open_sites(plan.faults, options, on_progress, runnable=runnable)
    async with SecretsEndpoint() as secrets, opening as sites:
        places = {
            fault.name: Place(site.cluster, plan.address(fault), secrets) for site in sites for fault in site.events
        }
        functions = []
        for site in sites:
            for fault in site.events:
                place = places[fault.name]
                if fault.from_secret:
                    await asyncio.to_thread(new_secret, place)
                functions += [
                    deploy_function(variant, fault, clock, place, site.service, site.logs, options)
                    for variant in plan.variants
                    for clock in plan.clocks
                ]
        on_progress(f"starting {len(functions)} environments", 0.15)
        slots = asyncio.Semaphore(STARTING)
        await asyncio.gather(*(_connect(function, slots) for function in functions))
        await asyncio.gather(*(site.service.settled() for site in sites))
        on_progress(f"all are frozen for {plan.freeze_seconds:.0f} s", 0.35)
        faults = (_happen(site, places) for site in sites)
        await asyncio.gather(asyncio.sleep(plan.freeze_seconds), *faults)
        after = await thaw_all(
            [function.after_the_thaw for function in functions],
            lambda thawed: on_progress(f"thawed {thawed} of {len(functions)}", 0.5 + 0.2 * thawed / len(functions)),
        )
        on_progress("the next invocations", 0.8)
        await asyncio.gather(*(asyncio.to_thread(_heal, site, places) for site in sites))
        following = [await function.insert("next") for function in functions]
        on_progress("reading the books", 0.95)
        cells = [
            await asyncio.to_thread(function.cell, first, second)
            for function, first, second in zip(functions, after, following, strict=True)
        ]
        return Measurement(
            tuple(cells), plan, sites[0].cluster.servers.mongod_version, sites[0].service.freezer.name, len(sites)
        )


async def _connect(function: Function, slots: asyncio.Semaphore) -> None:
    async with slots:
        result = await function.insert("before")
    if result.function_error is not None:
        raise EnvironmentStartError(f"{function.name} failed before anything happened: {result.payload.decode()}")


async def _happen(site: Site[Fault], places: dict[str, Place]) -> None:
    await asyncio.sleep(QUIET_SECONDS)
    for fault in site.events:
        await asyncio.to_thread(fault.happen, places[fault.name])


def _heal(site: Site[Fault], places: dict[str, Place]) -> None:
    for fault in site.events:
        fault.heal(places[fault.name])
    wait_until_whole(site.cluster.servers, _WHOLE_SECONDS)
