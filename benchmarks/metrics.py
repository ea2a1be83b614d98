"""
What metrics cost one warm invocation: a handler with one find_one, and a handler that does nothing.

    python benchmarks/metrics.py

Each way runs in a process of its own, and they take turns. What is measured is the CPU time of the handler's thread,
without the wait for the server, so that what else the machine does is not in it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time

from warmline.lab.cluster import ClusterSpec, start_cluster
from warmline.lab.workspace import Workspace

TURNS = 10
INVOCATIONS = 1_000

WAYS = {
    "off": {},
    "callback": {"CALLBACK": "yes"},
    "emf": {"WARMLINE_METRICS": "emf"},
    "otel": {"WARMLINE_METRICS": "otel"},
}

# Metrics go to standard output, as on Lambda; here that is a pipe nobody is slow to read.
PROGRAM = f"""
import os, sys, time
import warmline
if "CALLBACK" in os.environ:
    warmline.on_metrics(lambda metrics: None)
orders = warmline.connect()["shop"]["orders"]

@warmline.handler
def find(event, context):
    return orders.find_one({{}})

@warmline.handler
def nothing(event, context):
    return None

def microseconds(function):
    began = time.thread_time()
    for _ in range({INVOCATIONS}):
        function({{}}, None)
    return (time.thread_time() - began) / {INVOCATIONS} * 1e6

microseconds(find)
print("ready", file=sys.stderr, flush=True)
for _ in sys.stdin:
    print(f"[{{microseconds(find)}}, {{microseconds(nothing)}}]", file=sys.stderr, flush=True)
"""


def main() -> None:
    with Workspace() as workspace, start_cluster(workspace, ClusterSpec(members=1)) as cluster:
        programs = {
            way: subprocess.Popen(
                [sys.executable, "-c", PROGRAM],
                env={**os.environ, **variables, "MONGODB_URI": cluster.uri},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            for way, variables in WAYS.items()
        }
        taken: dict[str, list[tuple[float, float]]] = {way: [] for way in programs}
        for program in programs.values():
            assert program.stderr is not None
            assert program.stderr.readline() == "ready\n"
        for _ in range(TURNS):
            for way, program in programs.items():
                assert program.stdin is not None
                assert program.stderr is not None
                print("go", file=program.stdin, flush=True)
                find, nothing = json.loads(program.stderr.readline())
                taken[way].append((find, nothing))
                time.sleep(0.01)
        for program in programs.values():
            program.communicate()
    finds, nothings = (
        {way: statistics.median(pair[part] for pair in pairs) for way, pairs in taken.items()} for part in (0, 1)
    )
    print(f"one warm invocation, CPU time, median of {TURNS} times {INVOCATIONS}")
    for way in WAYS:
        print(
            f"{way:9} find_one {finds[way]:7.1f} us ({finds[way] - finds['off']:+6.1f})   "
            f"nothing {nothings[way]:6.2f} us ({nothings[way] - nothings['off']:+6.2f})"
        )


if __name__ == "__main__":
    main()
