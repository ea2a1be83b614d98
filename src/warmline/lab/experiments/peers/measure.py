"""
What is done to each variant: a cold start, warm invocations, a shutdown, a wrong URI, and a thaw with dead connections.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...atlas.front import CLEAR, Network
from ...aws import FunctionSpec, InvokeResult, LambdaService
from ...measure import ConnectionLife, connection_lives, most_open
from ..bench import DOCUMENTS, AtlasBench, Bench, deploy, invoke_all
from ..experiment import RunOptions, Variant

VARIANTS = (
    Variant("documented", "MongoDB's documented example", "documented"),
    Variant("actvalue-mongo-client", "actvalue mongo client", "actvalue"),
    Variant("mdb-singleton", "mdb singleton", "mdb_sync"),
    Variant("mdb-singleton-async", "mdb singleton, async", "mdb_async"),
    Variant("warmline", "warmline", "with_warmline"),
)

README_HANDLER = "actvalue_readme.lambda_handler"

ROUNDS = 10
_PAUSE_SECONDS = 0.3
TIMEOUT_SECONDS = 5.0

# Longer than what the packages and warmline take for a pause, shorter than what a freeze mostly lasts.
FROZEN_SECONDS = 4.0

# A string that is none, and one of a server that is not there.
MALFORMED = "mongodb//app@cluster0.example.com/?retryWrites=true"
NOBODY = "127.0.0.1:1"
UNREACHABLE = f"mongodb://{NOBODY}/?retryWrites=true"

# What a wrong URI leads to, from the best to the worst.
WORDS = ("the cause, at Init", "the cause, when invoked", "another error", "Task timed out", "no error")


@dataclass(frozen=True, slots=True)
class Life:
    """
    What came of a variant on a cluster that is well.

    ``held`` is what its frozen environments have open on each node, ``lives`` all connections that they have made.
    """

    results: tuple[InvokeResult, ...]
    held: dict[str, int]
    lives: dict[str, list[ConnectionLife]]
    primary_peak: int
    ended_by_itself: int


async def live(variant: Variant, code: Path, bench: Bench, options: RunOptions) -> Life:
    """
    Invoke a fleet again and again, and end it as Lambda does.
    """
    name = f"peers-{variant.name}"
    app = deploy(bench.service, bench.cluster, _spec(name, variant, code), options)
    began = time.time()
    results: list[InvokeResult] = []
    for turn in range(ROUNDS):
        first = turn * options.environments
        events = [{"id": number % DOCUMENTS} for number in range(first, first + options.environments)]
        results += await invoke_all(bench.service, name, events)
        await asyncio.sleep(_PAUSE_SECONDS)
    samples = await asyncio.to_thread(bench.sampler.now)
    held = {bench.nodes[node]: sample.by_app.get(app, 0) for node, sample in samples.items()}
    endings = await bench.service.end(name, how="shutdown")
    lives = {
        bench.nodes[node.name]: [life for life in connection_lives(node.log_path) if life.app == app]
        for node in bench.cluster.nodes
    }
    seconds = time.time() - began + 1
    return Life(
        tuple(results),
        held,
        lives,
        max(most_open(lives["primary"], began, seconds, seconds)),
        sum(ending.exit_code == 0 and ending.killed_after_ms is None for ending in endings),
    )


async def readme_handler(code: Path, bench: Bench, options: RunOptions) -> InvokeResult:
    """
    Invoke the handler of a package's README as it stands there.
    """
    name = "peers-readme"
    deploy(
        bench.service, bench.cluster, FunctionSpec(name, code, README_HANDLER, timeout_seconds=TIMEOUT_SECONDS), options
    )
    (result,) = await invoke_all(bench.service, name, [{"id": 1}])
    await bench.service.end(name, how="kill")
    return result


async def wrong_uri(variant: Variant, uri: str, code: Path, service: LambdaService, options: RunOptions) -> int:
    """
    Invoke a function that finds a wrong URI; return which of ``WORDS`` came of it.
    """
    name = f"peers-{variant.name}-{'malformed' if uri == MALFORMED else 'unreachable'}"
    spec = _spec(name, variant, code)
    service.deploy(
        FunctionSpec(
            name, code, spec.handler, {"MONGODB_URI": uri}, timeout_seconds=TIMEOUT_SECONDS, start=options.start
        )
    )
    (result,) = await invoke_all(service, name, [{"id": 1}])
    await service.end(name, how="kill")
    return _word(result, uri)


async def thaw(variant: Variant, code: Path, bench: AtlasBench, options: RunOptions) -> Sequence[InvokeResult]:
    """
    Freeze a fleet, have the network forget its connections, and invoke each environment; return what that gave.
    """
    name = f"peers-{variant.name}"
    deploy(bench.service, bench.cluster, _spec(name, variant, code), options)
    events = [{"id": number} for number in range(options.environments)]
    await invoke_all(bench.service, name, events)
    # Twice: what a client does only after its first operation is done, too.
    await invoke_all(bench.service, name, events)
    await asyncio.sleep(FROZEN_SECONDS)
    bench.cluster.lay(Network(black_hole="existing"))
    try:
        return await invoke_all(bench.service, name, events)
    finally:
        await bench.service.end(name, how="kill")
        bench.cluster.lay(CLEAR)


def _spec(name: str, variant: Variant, code: Path) -> FunctionSpec:
    return FunctionSpec(name, code, f"{variant.handler}.lambda_handler", timeout_seconds=TIMEOUT_SECONDS)


def _word(result: InvokeResult, uri: str) -> int:
    if result.function_error is None:
        return WORDS.index("no error")
    text = result.payload.decode()
    if "Sandbox.Timedout" in text:
        return WORDS.index("Task timed out")
    # PyMongo's words and ours both name what is wrong: the string, or the server.
    if (NOBODY if uri == UNREACHABLE else "URI") not in text:
        return WORDS.index("another error")
    # The runtime client posts an error of Init without an invocation's id.
    return WORDS.index("the cause, when invoked" if json.loads(text)["requestId"] else "the cause, at Init")
