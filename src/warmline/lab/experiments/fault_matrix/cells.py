"""
One environment in one case: the writes of its three invocations, and the books on them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...aws import FunctionSpec, InvokeResult, LambdaService, Monotonic
from ...cluster.replica_set import connect_as
from ..acknowledged_writes.books import compare, read_entries
from ..acknowledged_writes.waves import TIMEOUT_SECONDS, URI_OPTIONS, VARIANTS, documents_by_number
from ..bench import deploy
from ..experiment import RunOptions, Variant
from .faults import FAULTS, SECRET, Fault, Place

_FUNCTIONS = Path(__file__).parents[1] / "functions" / "acknowledged_writes"

# Of each invocation: before the freeze, after it, and the next one.
_WRITES = 5
_WAVES = {
    wave: range(number * _WRITES, (number + 1) * _WRITES) for number, wave in enumerate(("before", "after", "next"))
}

# An operation that SIGTERM is to come into takes so long in the server.
_BLOCKED_MS = 2_000


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What is measured. A freeze is long enough for a network to forget a flow.
    """

    faults: Sequence[Fault] = FAULTS
    clocks: Sequence[Monotonic] = ("runs", "stands-still")
    variants: Sequence[Variant] = VARIANTS
    freeze_seconds: float = 6.0

    def address(self, fault: Fault) -> str:
        """
        Where the connections come from that the fault may happen to.
        """
        return f"127.{100 + self.faults.index(fault)}.0.1"


@dataclass(frozen=True, slots=True)
class Cell:
    """
    What one environment, and what came after it, did: its invocation after the thaw, the next one, and the books.
    """

    variant: Variant
    fault: Fault
    monotonic: Monotonic
    after: InvokeResult
    next: InvokeResult
    books: Mapping[str, float]

    @property
    def written(self) -> Mapping[str, bool]:
        """
        Whether all writes of each invocation were acknowledged.
        """
        return {wave: self.books[f"unacknowledged_{wave}"] == 0 for wave in _WAVES}


@dataclass(frozen=True, slots=True)
class Function:
    """
    A deployed function with one environment.
    """

    variant: Variant
    fault: Fault
    monotonic: Monotonic
    place: Place
    service: LambdaService
    logs: Path
    name: str
    app: str

    async def insert(self, wave: str) -> InvokeResult:
        """
        Invoke it with the numbers of one of its three invocations.
        """
        event = {"collection": self.name, "numbers": list(_WAVES[wave])}
        return await self.service.invoke(self.name, json.dumps(event).encode())

    async def after_the_thaw(self) -> InvokeResult:
        """
        Make the first invocation after the freeze.
        """
        if not self.fault.ends:
            return await self.insert("after")
        # What blocks the operation is the server's only block.
        async with self.place.block:
            return await self._end_in_an_operation()

    async def _end_in_an_operation(self) -> InvokeResult:
        """
        Send SIGTERM while the server has an insert of this function.
        """
        blocked = {"failCommands": ["insert"], "blockConnection": True, "blockTimeMS": _BLOCKED_MS, "appName": self.app}
        users = self.place.cluster.servers.users
        node = await asyncio.to_thread(self.place.cluster.servers.primary)
        with closing(connect_as(node, users.admin if users else None)) as primary:
            # In threads: the service must not be held up, and the last one waits for the end of what it blocks.

            async def command(name: str, **fields: object) -> dict[str, Any]:
                return await asyncio.to_thread(lambda: primary.admin.command({name: "failCommand", **fields}))

            before = await command("configureFailPoint", mode="alwaysOn", data=blocked)
            try:
                serving = asyncio.create_task(self.insert("after"))
                times = before["count"] + 1
                await command("waitForFailPoint", timesEntered=times, maxTimeMS=10 * _BLOCKED_MS)
                await self.service.end(self.name, how="terminate")
                return await serving
            finally:
                await command("configureFailPoint", mode="off")

    def cell(self, after: InvokeResult, following: InvokeResult) -> Cell:
        """
        Close the books.
        """
        logs = self.logs.glob(f"{self.name}-[0-9]*.log")
        entries = [entry for log in logs for entry in read_entries(log.read_text(errors="replace"))]
        there = documents_by_number(self.place.cluster, self.name)
        return Cell(self.variant, self.fault, self.monotonic, after, following, compare(_WAVES, entries, there))


def deploy_function(
    variant: Variant,
    fault: Fault,
    monotonic: Monotonic,
    place: Place,
    service: LambdaService,
    logs: Path,
    options: RunOptions,
) -> Function:
    """
    Deploy a variant for one case.
    """
    name = f"fault-matrix-{variant.name}-{fault.name.replace('_', '-')}-{monotonic}"
    handler, variables = variant.handler, {}
    if fault.from_secret:
        variables = {**place.secrets.environment(), "MONGODB_URI": f"secretsmanager:{SECRET}", "SECRET_NAME": SECRET}
        handler = {"documented": "documented_secret"}.get(handler, handler)
    spec = FunctionSpec(
        name,
        _FUNCTIONS,
        f"{handler}.lambda_handler",
        variables,
        timeout_seconds=TIMEOUT_SECONDS,
        monotonic=monotonic,
    )
    app = deploy(service, place.cluster, spec, options, uri_options=URI_OPTIONS, egress=place.source)
    return Function(variant, fault, monotonic, place, service, logs, name, app)
