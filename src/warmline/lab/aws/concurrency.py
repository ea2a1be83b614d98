"""
How many invocations may run at the same time, and how fast environments may be added.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html,
https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html and for the reasons of a throttle
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Throttled, UnusableFunction

if TYPE_CHECKING:
    from .function import FunctionSpec
    from .versions import Function, Version

# What AWS wants to stay for the functions that reserve nothing.
UNRESERVED_AT_LEAST = 100

_SCALING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Quotas:
    """
    What an account may do in a Region, as AWS gives it to a new one.

    ``concurrency`` is how many invocations may run at the same time, and AWS raises it on request. ``scaling`` is how
    many environments each function may add in ten seconds, and AWS does not raise it: more is for runs that are larger
    than AWS allows.
    """

    concurrency: int = 1_000
    scaling: int = 1_000


class ScalingRate:
    """
    The environments that a function may still add now: refilled all the time, and never more than ten seconds' worth.
    """

    def __init__(self, environments: int) -> None:
        self._most = float(environments)
        self._left = self._most
        self._filled = time.monotonic()

    def take(self) -> bool:
        """
        Take one, if there is one left.
        """
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._filled) * self._most / _SCALING_SECONDS)
        self._filled = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def check_reservation(spec: FunctionSpec, others: Iterable[Function], quotas: Quotas) -> None:
    """
    See that enough is left for the functions that reserve nothing.

    :raises UnusableFunction: it is not.
    """
    if spec.reserved_concurrency is None:
        return
    reserved = sum(other.spec.reserved_concurrency or 0 for other in others if other.spec.name != spec.name)
    left = quotas.concurrency - reserved - spec.reserved_concurrency
    if left < UNRESERVED_AT_LEAST:
        raise UnusableFunction(
            f"function {spec.name} can't reserve a concurrency of {spec.reserved_concurrency}: of the account's "
            f"{quotas.concurrency} {UNRESERVED_AT_LEAST} must stay unreserved, and {reserved} are reserved already"
        )


def admit(function: Function, version: Version, functions: Iterable[Function], quotas: Quotas) -> None:
    """
    See that another invocation may run.

    :raises Throttled: all that the function has reserved, or all that the account's other functions share, is in use.
    """
    limit = function.spec.reserved_concurrency
    if limit is not None:
        if function.in_flight >= limit:
            raise Throttled(
                f"{limit} invocations of {function.spec.name} are running already: that is its reserved concurrency",
                "ReservedFunctionConcurrentInvocationLimitExceeded",
            )
        return
    if version.in_flight < len(version.provisioned):
        return
    in_use = shared = 0
    for other in functions:
        if other.spec.reserved_concurrency is not None:
            shared -= other.spec.reserved_concurrency
        else:
            for of_other in other.versions:
                in_use += of_other.on_demand
                shared -= of_other.spec.provisioned_concurrency
    shared += quotas.concurrency
    if in_use >= shared:
        raise Throttled(
            f"{in_use} invocations are running already: that is all of the account's concurrency of "
            f"{quotas.concurrency} that is neither reserved nor provisioned",
            "ConcurrentInvocationLimitExceeded",
        )


def admit_environment(spec: FunctionSpec, scaling: ScalingRate) -> None:
    """
    See that another environment may be added.

    Which of the API's reasons a throttle by the scaling rate has is not documented; the lab gives the one that speaks
    of a function's rate.

    :raises Throttled: the function has added as many as it may.
    """
    if not scaling.take():
        raise Throttled(
            f"{spec.name} adds environments faster than Lambda's scaling rate allows: try again in a second",
            "FunctionInvocationRateLimitExceeded",
        )
