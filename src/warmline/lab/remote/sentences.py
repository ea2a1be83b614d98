"""
What a run says in words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..measure import UNNAMED
from ..scenario.calls import LATE_MS
from .connections import own_connections
from .spec import Seen
from .watch import Watched


def answer(seen: Seen, metrics: Mapping[str, float], main: str) -> str:
    """
    One sentence for one function.
    """
    answered = metrics["invocations"] - metrics["failed_invocations"] - metrics["throttled_invocations"]
    some = "all" if answered == metrics["invocations"] else f"{answered:,.0f} of"
    told = (
        f"{seen.variant.label} answered {some} {metrics['invocations']:,.0f} invocations with "
        f"{metrics['cold_starts']:,.0f} cold starts"
    )
    if "peak_connections" not in metrics:
        return f"{told}."
    told += (
        f", held at most {metrics['peak_connections']:,.0f} connections on the {main}, and "
        f"{metrics['connections_at_rest']:,.0f} on all nodes when the load was over"
    )
    each = metrics["connections_per_environment"]
    return f"{told}, {each:.1f} on the {main} for each environment." if math.isfinite(each) else f"{told}."


def notes(
    seen: Sequence[Seen], variants: Mapping[str, Mapping[str, float]], watched: Watched | None
) -> tuple[str, ...]:
    """
    What to know before one believes the figures.
    """
    told = [
        "Environments are seen from outside: how many there are besides those that started meanwhile, how they are "
        "frozen, and what they leave open at their end is not measured.",
    ]
    if watched is None:
        told.append("No connections were counted: --cluster-uri names the cluster.")
    for each in seen:
        name, metrics = each.variant.label, variants[each.variant.name]
        unreported = sum(call.outcome != "throttled" and not math.isfinite(call.duration_ms) for call in each.calls)
        if unreported:
            told.append(f"{unreported:,} answers of {name} had no REPORT line, so their cold starts are not counted.")
        if metrics["late_ms_p99"] > LATE_MS or metrics["thread_wait_ms_p99"] > LATE_MS:
            told.append(
                f"The driver itself was behind: one in a hundred invocations of {name} started "
                f"{metrics['late_ms_p99'] + metrics['thread_wait_ms_p99']:,.0f} ms or more after its time."
            )
        if watched is None:
            continue
        apps = own_connections(each).apps
        if not apps:
            told.append(
                f"No connection is named after {name}: counted is what each node has more than before the load."
            )
        elif apps == {UNNAMED}:
            told.append(f"No connection is named after {name}: counted are those of Lambda functions without a name.")
        if metrics["connections_before"]:
            told.append(f"{name} had environments before the load, so connections per environment can't be told.")
    return tuple(told)
