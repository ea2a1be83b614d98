"""
The same under OpenTelemetry's names, for whatever meter provider the function has set up.

Source: https://opentelemetry.io/docs/specs/semconv/database/database-metrics/ (connection pools)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from opentelemetry.metrics import CallbackOptions, Observation, get_meter

from .counts import Process
from .pools import Address, Observe, Pool

# The conventions that these names and units were last compared with.
_SCHEMA = "https://opentelemetry.io/schemas/1.44.0"

_PREFIX = "db.client.connection."

# In seconds. The SDK's own are meant for milliseconds.
_BOUNDARIES = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)


def instruments(process: Process) -> Observe:
    """
    Make the instruments: those of the pools' state ask the process, the others are fed through what this returns.
    """
    meter = get_meter("warmline", schema_url=_SCHEMA)

    def ask(value: Callable[[Pool], int], state: str | None = None) -> Callable[[CallbackOptions], list[Observation]]:
        def answer(_: CallbackOptions) -> list[Observation]:
            # Two clients may have a pool each at one server.
            values: Counter[Address] = Counter()
            for address, pool in process.pools():
                values[address] += value(pool)
            return [Observation(number, _attributes(address, state)) for address, number in values.items()]

        return answer

    for name, unit, description, answers in (
        ("count", "{connection}", "Connections in this state", [ask(_idle, "idle"), ask(_used, "used")]),
        ("max", "{connection}", "Connections allowed: maxPoolSize, 0 for any number", [ask(_max)]),
        ("idle.max", "{connection}", "Idle connections allowed: the driver's limit is maxPoolSize", [ask(_max)]),
        ("idle.min", "{connection}", "Connections kept open: minPoolSize", [ask(_min)]),
        ("pending_requests", "{request}", "Checkouts that wait for a connection", [ask(_waiting)]),
    ):
        meter.create_observable_up_down_counter(_PREFIX + name, answers, unit, description)
    timeouts = meter.create_counter(_PREFIX + "timeouts", "{timeout}", "Checkouts that have timed out")
    times = {
        name: meter.create_histogram(
            f"{_PREFIX}{name}_time", "s", description, explicit_bucket_boundaries_advisory=_BOUNDARIES
        )
        for name, description in (
            ("create", "How long making a connection took"),
            ("wait", "How long getting a connection from the pool took"),
            ("use", "How long a connection was checked out"),
        )
    }

    def observe(what: str, address: Address, value: float) -> None:
        if what == "timeout":
            timeouts.add(1, _attributes(address))
        else:
            times[what].record(value, _attributes(address))

    return observe


def _attributes(address: Address, state: str | None = None) -> dict[str, str]:
    host, port = address
    name = {_PREFIX + "pool.name": f"{host}:{port}"}
    return name if state is None else {**name, _PREFIX + "state": state}


def _idle(pool: Pool) -> int:
    return max(0, pool.open - pool.in_use)


def _used(pool: Pool) -> int:
    return pool.in_use


def _waiting(pool: Pool) -> int:
    return pool.waiting


def _max(pool: Pool) -> int:
    return pool.max_size


def _min(pool: Pool) -> int:
    return pool.min_size
