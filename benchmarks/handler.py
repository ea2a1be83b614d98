"""
What ``@handler`` and the client's listener cost a warm invocation, in microseconds and beside a find_one.

    python benchmarks/handler.py
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.update(AWS_EXECUTION_ENV="AWS_Lambda_python3.13", _X_AMZN_TRACE_ID="Root=1-0-0")

from pymongo import MongoClient

from warmline import connect, handler
from warmline.lab.cluster import ClusterSpec, start_cluster
from warmline.lab.workspace import Workspace

ROUNDS = 40
CALLS = 250


class Context:
    """
    An invocation with three seconds.
    """

    def get_remaining_time_in_millis(self) -> int:
        return 3000


def microseconds(variants: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """
    The median of rounds that take turns, so that what else the machine does falls on all alike.
    """
    took: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(ROUNDS):
        for name, call in variants.items():
            began = time.perf_counter()
            for _ in range(CALLS):
                call()
            took[name].append((time.perf_counter() - began) / CALLS * 1e6)
    return {name: statistics.median(values) for name, values in took.items()}


def nothing(event: Any, context: Any) -> None: ...


def main() -> None:
    decorated = handler(nothing)
    context = Context()
    with Workspace() as workspace, start_cluster(workspace, ClusterSpec(members=1)) as cluster:
        plain = MongoClient[dict[str, Any]](cluster.uri)["shop"]["orders"]
        ours = connect(cluster.uri)["shop"]["orders"]

        @handler
        def find(event: Any, context: Any) -> Any:
            return ours.find_one({"_id": 1})

        plain.insert_one({"_id": 1})
        found = microseconds(
            {
                "an empty handler": lambda: nothing({}, context),
                "the same with @handler": lambda: decorated({}, context),
                "find_one, plain PyMongo": lambda: plain.find_one({"_id": 1}),
                "find_one, connect()": lambda: ours.find_one({"_id": 1}),
                "find_one, connect() and @handler": lambda: find({}, context),
            }
        )
    for name, value in found.items():
        print(f"{name:36} {value:8.1f} us (median of {ROUNDS} x {CALLS})")
    base = found["find_one, plain PyMongo"]
    added = found["the same with @handler"] - found["an empty handler"]
    print(f"@handler adds {added:.1f} us, {added / base:.1%} of a find_one")
    whole = found["find_one, connect() and @handler"] - base
    print(f"all of it adds {whole:.1f} us, {whole / base:.1%} of a find_one")


if __name__ == "__main__":
    main()
