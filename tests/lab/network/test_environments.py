"""
Functions whose environments have networks of their own, against real servers.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import textwrap
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from warmline.lab.atlas import AtlasCluster, AtlasSpec, start_atlas
from warmline.lab.aws import FunctionSpec, How, InvokeResult, LambdaService, NetworkKind, StartMode
from warmline.lab.cluster import Cluster, Node
from warmline.lab.errors import NetworkUnavailable, UnusableFunction
from warmline.lab.measure import ConnectionSampler
from warmline.lab.network import Network
from warmline.lab.network.namespace import inside
from warmline.lab.workspace import Workspace

# One fixture says whether there are networks here.
needs_networks = pytest.mark.usefixtures("switch")

PATIENCE_SECONDS = 20.0

# What plain PyMongo waits for a connection that does not answer, a slow one included; its default is twenty seconds.
DEAD_SECONDS = 4.0
# Lambda's timeout where it is to come before PyMongo gives up, and not while a slow machine connects.
KILLED_SECONDS = 6.0
# Longer than warmline takes for a pause between two invocations.
FROZEN_SECONDS = 3.5

SOURCES = {
    "with_warmline": """
        import os, time
        import warmline

        client = warmline.connect()

        @warmline.handler
        def lambda_handler(event, context):
            began = time.monotonic()
            client["shop"]["orders"].find_one()
            return [os.environ["AWS_LAMBDA_RUNTIME_API"], time.monotonic() - began]
    """,
    # Without an extension, so that nothing but the end itself closes its connections.
    "documented": """
        import os, time
        import pymongo

        client = pymongo.MongoClient(os.environ["MONGODB_URI"], appName=os.environ["AWS_LAMBDA_FUNCTION_NAME"])

        def lambda_handler(event, context):
            began = time.monotonic()
            client["shop"]["orders"].find_one()
            return [os.environ["AWS_LAMBDA_RUNTIME_API"], time.monotonic() - began]
    """,
}


@pytest.fixture
def code(tmp_path: Path) -> Path:
    for name, source in SOURCES.items():
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
    return tmp_path


@asynccontextmanager
async def open_service() -> AsyncIterator[LambdaService]:
    with Workspace() as workspace:
        async with asyncio.timeout(60), LambdaService(workspace) as service:
            yield service


def own(code: Path, handler: str, environment: Mapping[str, str], name: str = "app", **fields: Any) -> FunctionSpec:
    fields = {"timeout_seconds": PATIENCE_SECONDS, "network": "own", **fields}
    return FunctionSpec(name, code, f"{handler}.lambda_handler", environment, **fields)


def seconds_of(result: InvokeResult) -> float:
    """
    How long its operation took, which must have gone well.
    """
    assert result.function_error is None, result.payload
    seconds: float = json.loads(result.payload)[1]
    return seconds


async def settled_connections(node: Node, app: str, wanted: int) -> int:
    """
    How many connections of this name the server has, once there are so many or time is up.
    """
    # What closes has done so by then.
    deadline = time.monotonic() + (PATIENCE_SECONDS if wanted else 4.0)
    with ConnectionSampler([node]) as sampler:
        while True:
            open_now = (await asyncio.to_thread(sampler.now))[node.name].by_app.get(app, 0)
            if open_now == wanted or time.monotonic() > deadline:
                return open_now
            await asyncio.sleep(0.05)


@needs_networks
@pytest.mark.parametrize("start", ["zygote", "exec"])
@pytest.mark.parametrize("handler", SOURCES)
def test_every_member_is_found_from_inside_by_the_address_that_it_has(
    replica_set: Cluster, code: Path, handler: str, start: StartMode
) -> None:
    async def scenario() -> None:
        async with open_service() as service:
            service.deploy(own(code, handler, {"MONGODB_URI": replica_set.uri}, start=start))
            results = await asyncio.gather(*(service.invoke("app") for _ in range(2)))

            assert [json.loads(result.payload)[0] for result in results] == ["127.0.0.1:9001"] * 2
            assert len({result.environment for result in results}) == 2

    asyncio.run(scenario())


@needs_networks
@pytest.mark.parametrize("start", ["zygote", "exec"])
def test_names_and_tls_are_inside_what_they_are_outside(atlas: AtlasCluster, code: Path, start: StartMode) -> None:
    async def scenario() -> None:
        async with open_service() as service:
            variables = atlas.environ({"MONGODB_URI": atlas.uri()})
            service.deploy(own(code, "with_warmline", variables, start=start))

            assert seconds_of(await service.invoke("app")) > 0

    asyncio.run(scenario())


ENDINGS: tuple[tuple[How, str, int, bool], ...] = (
    # Without an extension Lambda tells it nothing.
    ("shutdown", "documented", -9, True),
    ("shutdown", "with_warmline", 0, False),
    ("terminate", "documented", -15, False),
    ("kill", "documented", -9, False),
    ("kill", "with_warmline", -9, False),
    ("destroy", "documented", -9, True),
    ("destroy", "with_warmline", -9, True),
)


@needs_networks
def test_servers_learn_of_an_end_from_the_function_or_its_kernel_and_never_else(single: Cluster, code: Path) -> None:
    """
    All of them are frozen when they are ended, as most environments are.
    """
    (node,) = single.nodes

    async def end(service: LambdaService, how: How, handler: str) -> tuple[How, str, int, bool]:
        name = f"ends-{how}-{handler}"
        app = name if handler == "documented" else f"{name}:$LATEST"
        service.deploy(own(code, handler, {"MONGODB_URI": single.uri}, name))
        seconds_of(await service.invoke(name))
        assert await settled_connections(node, app, 2) == 2

        (ending,) = await service.end(name, how=how)

        left = await settled_connections(node, app, 0)
        assert left in {0, 2}
        return how, handler, ending.exit_code, left == 2

    async def scenario() -> None:
        async with open_service() as service:
            ends = await asyncio.gather(*(end(service, how, handler) for how, handler, _, _ in ENDINGS))
            assert tuple(ends) == ENDINGS

    asyncio.run(scenario())


@needs_networks
def test_while_it_is_frozen_nothing_reaches_an_environment(single: Cluster, code: Path) -> None:
    async def scenario() -> None:
        async with open_service() as service:
            service.deploy(own(code, "documented", {"MONGODB_URI": single.uri}))
            await service.invoke("app")
            await service.settled()
            (environment,) = service.environments()
            assert environment.link is not None
            address = environment.link.listener.getsockname()

            # From inside itself, since only its link is cut, and then from where the lab is.
            inside(environment.link.descriptor, lambda: socket.create_connection(address, 1)).close()
            with pytest.raises(TimeoutError):
                socket.create_connection((environment.link.address, 1), 0.3)
            environment.thaw()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((environment.link.address, 1), PATIENCE_SECONDS)

    asyncio.run(scenario())


def open_namespaces() -> int:
    """
    How many network namespaces this process holds.
    """
    count = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        # The one that lists them is gone by now.
        with suppress(FileNotFoundError):
            count += str(descriptor.readlink()).startswith("net:[")
    return count


@needs_networks
def test_an_environment_that_has_ended_leaves_no_network_behind(single: Cluster, code: Path) -> None:
    async def scenario() -> None:
        async with open_service() as service:
            service.deploy(own(code, "documented", {"MONGODB_URI": single.uri}))
            before = open_namespaces()
            await asyncio.gather(*(service.invoke("app") for _ in range(3)))
            assert open_namespaces() == before + 3

            await service.end("app", how="kill")

            assert open_namespaces() == before

    asyncio.run(scenario())


@pytest.fixture(scope="module")
def front() -> Iterator[AtlasCluster]:
    with Workspace() as workspace, start_atlas(workspace, AtlasSpec(members=1, through_front=True)) as cluster:
        yield cluster


@dataclass(frozen=True)
class Way:
    """
    One of the two ways to do something to an environment's network.
    """

    service: LambdaService
    cluster: AtlasCluster
    kind: NetworkKind
    egress: str

    def deploy(self, name: str, code: Path, handler: str, options: str = "", seconds: float = PATIENCE_SECONDS) -> None:
        environ = self.cluster.environ(
            {"MONGODB_URI": self.cluster.uri(options=options)}, egress=self.egress if self.kind == "shared" else None
        )
        self.service.deploy(own(code, handler, environ, name, network=self.kind, timeout_seconds=seconds))

    def lay(self, name: str, network: Network) -> None:
        if self.kind == "shared":
            self.cluster.lay(network, source=self.egress)
            return
        for environment in self.service.function(name).environments:
            assert environment.link is not None
            environment.link.lay(network)


@needs_networks
def test_at_a_front_and_on_a_link_lost_flows_have_the_same_outcome(front: AtlasCluster, code: Path) -> None:
    async def first_operations(way: Way) -> dict[str, float]:
        names = {handler: f"loses-flows-{way.kind}-{handler}".replace("_", "-") for handler in SOURCES}
        for handler, name in names.items():
            limit = f"connectTimeoutMS={DEAD_SECONDS * 1000:.0f}" if handler == "documented" else ""
            way.deploy(name, code, handler, limit)
            # The second gives the monitors time for connections of their own.
            for _ in range(2):
                seconds_of(await way.service.invoke(name))
        await way.service.settled()
        for name in names.values():
            way.lay(name, Network(black_hole="existing"))
        await asyncio.sleep(FROZEN_SECONDS)
        return {handler: seconds_of(await way.service.invoke(name)) for handler, name in names.items()}

    async def scenario() -> None:
        async with open_service() as service:
            ways = [Way(service, front, "shared", "127.91.0.1"), Way(service, front, "own", "")]
            for seconds in await asyncio.gather(*map(first_operations, ways)):
                assert seconds["documented"] >= DEAD_SECONDS
                assert seconds["with_warmline"] < seconds["documented"]

    asyncio.run(scenario())


@needs_networks
def test_at_a_front_and_on_a_link_a_black_hole_has_the_same_outcome(front: AtlasCluster, code: Path) -> None:
    async def killed(way: Way) -> dict[str, bool]:
        names = {handler: f"black-hole-{way.kind}-{handler}".replace("_", "-") for handler in SOURCES}
        for handler, name in names.items():
            way.deploy(name, code, handler, seconds=KILLED_SECONDS)
            seconds_of(await way.service.invoke(name))
        await way.service.settled()
        for name in names.values():
            way.lay(name, Network(black_hole="all"))
        results = await asyncio.gather(*(way.service.invoke(name) for name in names.values()))
        errors = [json.loads(result.payload)["errorType"] for result in results]
        return {handler: error == "Sandbox.Timedout" for handler, error in zip(names, errors, strict=True)}

    async def scenario() -> None:
        async with open_service() as service:
            ways = [Way(service, front, "shared", "127.93.0.1"), Way(service, front, "own", "")]
            for outcome in await asyncio.gather(*map(killed, ways)):
                # The error that warmline raises comes before the deadline.
                assert outcome == {"documented": True, "with_warmline": False}

    asyncio.run(scenario())


@needs_networks
def test_at_a_front_and_on_a_link_servers_keep_what_a_destroyed_environment_had(
    front: AtlasCluster, code: Path
) -> None:
    (node,) = front.servers.nodes

    async def connections_left(way: Way) -> tuple[int, int]:
        name = f"destroyed-{way.kind}"
        way.deploy(name, code, "documented", f"appName={name}")
        seconds_of(await way.service.invoke(name))
        before = await settled_connections(node, name, 2)
        if way.kind == "own":
            await way.service.end(name, how="destroy")
        else:
            way.lay(name, Network(black_hole="all"))
            await way.service.end(name, how="kill")
        return before, await settled_connections(node, name, 0)

    async def scenario() -> None:
        async with open_service() as service:
            ways = [Way(service, front, "shared", "127.92.0.1"), Way(service, front, "own", "")]
            assert await asyncio.gather(*map(connections_left, ways)) == [(2, 2), (2, 2)]

    asyncio.run(scenario())


def test_on_this_machines_network_nothing_can_be_destroyed(single: Cluster, code: Path) -> None:
    async def scenario() -> None:
        async with open_service() as service:
            service.deploy(own(code, "documented", {"MONGODB_URI": single.uri}, network="shared"))
            await service.invoke("app")

            with pytest.raises(UnusableFunction, match=r"app can't be destroyed without a FIN.*front and kill"):
                await service.end("app", how="destroy")
            assert not (await service.invoke("app")).cold

    asyncio.run(scenario())


def test_a_function_with_networks_of_its_own_has_no_egress_address(atlas: AtlasCluster, code: Path) -> None:
    with pytest.raises(UnusableFunction, match="app can't have an egress address"):
        own(code, "documented", atlas.environ({}, egress="127.47.0.1"))


def test_where_there_are_no_networks_deploying_says_why(code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with open_service() as service:
            monkeypatch.setattr(os, "geteuid", lambda: 1000)
            with pytest.raises(NetworkUnavailable, match="needs root"):
                service.deploy(own(code, "documented", {}))

    asyncio.run(scenario())
