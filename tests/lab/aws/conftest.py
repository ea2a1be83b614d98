"""
A Lambda service with real runtime clients in real processes, and what tests do with it.
"""

from __future__ import annotations

import asyncio
import shutil
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import boto3
import pytest
from botocore.config import Config

from warmline.lab.aws import (
    CgroupFreezer,
    Environment,
    Freezer,
    FunctionSpec,
    LambdaService,
    SignalFreezer,
    StartMode,
    best_freezer,
)
from warmline.lab.aws import State as EnvironmentState
from warmline.lab.aws.invoke_endpoint import InvokeEndpoint
from warmline.lab.aws.processes import Spawner
from warmline.lab.workspace import Workspace

FUNCTIONS = Path(__file__).with_name("functions")

# Only what hangs for ever takes this long.
PATIENCE_SECONDS = 30.0

Run = Callable[[Callable[[LambdaService], Coroutine[Any, Any, None]]], None]
Until = Callable[[Callable[[], object]], Awaitable[None]]
Gone = Callable[[int], bool]
Client = Callable[[InvokeEndpoint], Any]


class Spec(Protocol):
    """
    Write a handler module and describe the function it is deployed as.
    """

    def __call__(self, source: str, **fields: Any) -> FunctionSpec: ...


class OpenEnvironment(Protocol):
    """
    Make an environment that is not started yet; it ends with the block.
    """

    def __call__(
        self, function: FunctionSpec, freezer: Freezer | None = None
    ) -> AbstractAsyncContextManager[Environment]: ...


@pytest.fixture(scope="session")
def workspace() -> Iterator[Workspace]:
    """
    One workspace for all these tests; after them its janitor must find no process that they have left behind.
    """
    with Workspace() as workspace:
        yield workspace
    assert workspace.swept == 0


@pytest.fixture(params=["zygote", "exec"])
def start(request: pytest.FixtureRequest) -> StartMode:
    mode: StartMode = request.param
    return mode


@pytest.fixture
def cgroup(workspace: Workspace) -> CgroupFreezer:
    freezer = best_freezer(workspace)
    if not isinstance(freezer, CgroupFreezer):
        pytest.skip("no cgroup v2 hierarchy that this user may write to")
    return freezer


@pytest.fixture(params=["cgroup", "signal"])
def freezer(request: pytest.FixtureRequest) -> Freezer:
    if request.param == "signal":
        return SignalFreezer()
    cgroup: CgroupFreezer = request.getfixturevalue("cgroup")
    return cgroup


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    def spec(source: str, *, name: str = "app", **fields: Any) -> FunctionSpec:
        code = tmp_path / name
        code.mkdir(exist_ok=True)
        (code / "app.py").write_text(textwrap.dedent(source))
        shutil.copy(FUNCTIONS / "extension.py", code)
        # Tests of something else must not fail where the machine is slow.
        return FunctionSpec(name, code, **{"timeout_seconds": PATIENCE_SECONDS, **fields})

    return spec


@pytest.fixture
def run(workspace: Workspace) -> Run:
    """
    Run a scenario with a service of its own.
    """

    def run(scenario: Callable[[LambdaService], Coroutine[Any, Any, None]]) -> None:
        async def with_service() -> None:
            async with asyncio.timeout(2 * PATIENCE_SECONDS), LambdaService(workspace) as service:
                await scenario(service)

        asyncio.run(with_service())

    return run


@pytest.fixture
def environment(workspace: Workspace) -> OpenEnvironment:
    @asynccontextmanager
    async def environment(function: FunctionSpec, freezer: Freezer | None = None) -> AsyncIterator[Environment]:
        async with Spawner(workspace.environ()) as spawner:
            opened = Environment(
                f"{function.name}-{function.code.parent.name}",
                function,
                spawner=spawner,
                freezer=freezer or best_freezer(workspace),
                workspace=workspace,
            )
            try:
                yield opened
            finally:
                if opened.state is not EnvironmentState.ENDED:
                    await opened.kill()

    return environment


@pytest.fixture
def until() -> Until:
    """
    Wait for something that will be true soon.
    """

    async def until(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():  # noqa: ASYNC110 - it comes true in another process
                await asyncio.sleep(0.005)

    return until


@pytest.fixture
def gone() -> Gone:
    """
    Say whether a process has ended; where nobody waits for orphans they stay as zombies.
    """

    def gone(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    return gone


@pytest.fixture(scope="session")
def boto_session() -> boto3.Session:
    """
    A session keeps the service's description, which takes long to read.
    """
    return boto3.Session(region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture
def client(boto_session: boto3.Session) -> Iterator[Client]:
    """
    Make a client of an endpoint; it does not retry.
    """
    clients = []

    def client(endpoint: InvokeEndpoint) -> Any:
        config = Config(retries={"total_max_attempts": 1}, proxies={})
        clients.append(boto_session.client("lambda", endpoint_url=endpoint.url, config=config))
        return clients[-1]

    yield client
    for opened in clients:
        opened.close()
