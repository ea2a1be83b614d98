"""
Deploys functions into real Lambda environments, for code that has no event loop.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..lab.atlas.loop import LoopThread
from ..lab.aws import FunctionSpec, LambdaService
from ..lab.errors import UnusableFunction
from ..lab.workspace import Workspace
from .cluster import TESTS, MongoCluster
from .fleet import Fleet


class LambdaLab:
    """
    A Lambda service in miniature beside a cluster; its event loop runs in a thread of its own.
    """

    def __init__(self, workspace: Workspace, cluster: MongoCluster, root: Path) -> None:
        self.cluster = cluster
        self._workspace = workspace
        self._root = root
        self._fleets: list[Fleet] = []
        # Of all fleets that there have ever been: what one leaves behind on the servers is not the next one's.
        self._names = {TESTS}
        self._numbers = itertools.count(1)

    def __enter__(self) -> LambdaLab:
        self._loop = LoopThread().__enter__()
        self._service = self._loop.run(_opened(self._workspace))
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._loop.run(self._service.__aexit__())
        finally:
            self._loop.__exit__()

    @property
    def service(self) -> LambdaService:
        """
        The lab's own object, for what this one does not do; it belongs to the event loop of another thread.
        """
        return self._service

    def deploy(
        self,
        handler: str = "app.lambda_handler",
        *,
        environments: int = 1,
        code: str | Path = ".",
        environment: Mapping[str, str] | None = None,
        app_name: str | None = None,
        **fields: Any,
    ) -> Fleet:
        """
        Deploy a function; its environments start as invocations need them.

        It finds the cluster in MONGODB_URI. It ends with the test that deploys it, or, deployed by a fixture, with the
        ``with`` block of the fleet or the session.

        :param environments: how many of its invocations run at the same time if nobody says otherwise, so how many
            environments there will be.
        :param code: the folder with the handler's module, relative to pytest's root folder.
        :param environment: further variables, or others.
        :param app_name: the ``appName`` of its client, if its code sets one and does not leave it to MONGODB_URI.
        :param fields: others of ``warmline.lab.aws.FunctionSpec``: ``timeout_seconds`` (by default 3, as on AWS),
            ``memory_mb``, ``reserved_concurrency``, ``monotonic``…
        :raises UnusableFunction: there is no such module, or the function can't be had here.
        """
        if environments < 1:
            raise UnusableFunction(f"a fleet has at least one environment, not {environments}")
        folder = (self._root / code).resolve()
        module = handler.rpartition(".")[0].replace("/", ".")
        if "command" not in fields and not _has(folder, module):
            raise UnusableFunction(
                f"no module {module!r} in {folder} for the handler {handler!r}: "
                "name the folder that it is in by deploy(..., code=...)"
            )
        name = f"{module.rpartition('.')[2] or 'function'}-{next(self._numbers)}"
        spec = FunctionSpec(name, folder, handler, **fields)
        # As warmline names them of its own accord.
        app = f"{name}:{spec.version}"
        variables = {"MONGODB_URI": f"{self.cluster.uri}&appName={app}", **(environment or {})}
        self._loop.run(_deploy(self._service, dataclasses.replace(spec, environment=variables)))
        self._names.add(app_name or app)
        fleet = Fleet(self._service, self._loop, self.cluster, name, environments, app_name or app, self._names)
        self._fleets.append(fleet)
        return fleet

    @contextmanager
    def ending_what_is_deployed(self) -> Iterator[None]:
        """
        End the fleets that are deployed in the block with it.
        """
        before = len(self._fleets)
        try:
            yield
        finally:
            for fleet in self._fleets[before:]:
                fleet.kill()
            del self._fleets[before:]


async def _opened(workspace: Workspace) -> LambdaService:
    return await LambdaService(workspace).__aenter__()


async def _deploy(service: LambdaService, spec: FunctionSpec) -> None:
    service.deploy(spec)


def _has(folder: Path, module: str) -> bool:
    path = folder.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()
