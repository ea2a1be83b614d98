"""
What a service has done so far, as the metrics of Lambda count it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """
    Counts that only grow, of all functions of a service; read them whenever you like, also from another thread.

    ``invocations`` are those that have been answered, with an error of the function or without. A throttled one is
    not among them. ``errors`` are answers with a function error. ``cold_starts`` are invocations that an environment
    was started, or restored, for.
    """

    invocations: int = 0
    errors: int = 0
    throttles: int = 0
    cold_starts: int = 0
