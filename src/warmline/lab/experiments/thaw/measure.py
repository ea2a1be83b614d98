"""
The measurement: all environments are frozen at the same time, the events happen, and one after the other is thawed.
"""

from __future__ import annotations

import asyncio
import functools
import json
import time
from dataclasses import dataclass
from pathlib import Path

from ...aws import FunctionSpec, InvokeResult, LambdaService
from ..bench import deploy
from ..experiment import OnProgress, RunOptions
from .cases import Case, Event, Plan, Variant
from .sites import QUIET_SECONDS, STARTING, Site, open_sites, thaw_all

_FUNCTIONS = Path(__file__).parents[1] / "functions" / "thaw"


@dataclass(frozen=True, slots=True)
class Operation:
    """
    What the function tells of one operation: its time, the name of its error, and the monotonic clock at its end.

    The first one's time counts from the moment that the invocation was sent.
    """

    ms: float
    error: str | None
    monotonic: float


@dataclass(frozen=True, slots=True)
class Thawed:
    """
    One variant in one case: the cold start, the last operation before the freeze, and what the thaw brought.

    An operation that had not ended when Lambda's timeout came is not among ``operations``.
    """

    variant: Variant
    case: Case
    cold: InvokeResult
    before: Operation
    result: InvokeResult
    operations: tuple[Operation, ...]

    @property
    def times_ms(self) -> list[float]:
        """
        What its operations took; what had not ended took at least as long as the invocation.
        """
        return [operation.ms for operation in self.operations] or [self.result.duration_ms]


@dataclass(frozen=True, slots=True)
class _Cell:
    """
    A deployed function with one environment.
    """

    variant: Variant
    case: Case
    service: LambdaService
    function: str

    async def invoke(self, operations: int) -> InvokeResult:
        event = {"operations": operations, "sent": time.time()}
        return await self.service.invoke(self.function, json.dumps(event).encode())


@dataclass(frozen=True, slots=True)
class Measurement:
    """
    All of it, and what it was measured on.
    """

    thawed: tuple[Thawed, ...]
    mongod_version: str
    freezer: str
    clusters: int


async def measure(plan: Plan, options: RunOptions, on_progress: OnProgress) -> Measurement:
    """
    Run the plan.
    """
    runnable = len(plan.cases) * len(plan.variants)
    async with open_sites(plan.events, options, on_progress, runnable=runnable) as sites:
        cells = [
            _deploy(variant, case, site, plan, options)
            for variant in plan.variants
            for site in sites
            for case in plan.cases
            if case.event in site.events
        ]
        on_progress(f"starting {len(cells)} environments", 0.1)
        slots = asyncio.Semaphore(STARTING)
        before = await asyncio.gather(*(_connect(cell, slots) for cell in cells))
        await asyncio.gather(*(site.service.settled() for site in sites))
        on_progress(f"all are frozen for {plan.freeze_seconds:.0f} s", 0.2)
        await asyncio.gather(asyncio.sleep(plan.freeze_seconds), *(_happen(site, plan) for site in sites))
        results = await thaw_all(
            [functools.partial(cell.invoke, 2) for cell in cells],
            lambda thawed: on_progress(f"thawed {thawed} of {len(cells)}", 0.6 + 0.1 * thawed / len(cells)),
        )
        return Measurement(
            tuple(
                Thawed(cell.variant, cell.case, cold, last, result, operations(result))
                for cell, (cold, last), result in zip(cells, before, results, strict=True)
            ),
            sites[0].cluster.servers.mongod_version,
            sites[0].service.freezer.name,
            len(sites),
        )


def _deploy(variant: Variant, case: Case, site: Site[Event], plan: Plan, options: RunOptions) -> _Cell:
    function = f"thaw-{variant.name}-{case.name.replace('_', '-')}"
    spec = FunctionSpec(
        function,
        _FUNCTIONS,
        f"{variant.handler}.lambda_handler",
        timeout_seconds=variant.timeout_seconds,
        monotonic=case.monotonic,
    )
    uri_options = variant.options.format(idle_time_ms=plan.idle_time_ms)
    deploy(site.service, site.cluster, spec, options, uri_options=uri_options, egress=plan.address(case.event))
    return _Cell(variant, case, site.service, function)


async def _connect(cell: _Cell, slots: asyncio.Semaphore) -> tuple[InvokeResult, Operation]:
    """
    Start the environment; a second invocation gives the monitors time for their own connections.
    """
    async with slots:
        cold = await cell.invoke(1)
        return cold, operations(await cell.invoke(1))[-1]


async def _happen(site: Site[Event], plan: Plan) -> None:
    await asyncio.sleep(QUIET_SECONDS)
    for event in site.events:
        await asyncio.to_thread(event.happen, site.cluster, plan.address(event))


def operations(result: InvokeResult) -> tuple[Operation, ...]:
    """
    What the function has printed, among what others may have.
    """
    lines = (line for line in result.log_tail.splitlines() if line.startswith('{"ms"'))
    return tuple(Operation(**json.loads(line)) for line in lines)
