from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from warmline.lab.aws import CgroupFreezer, Environment, Freezer, SignalFreezer, State, best_freezer
from warmline.lab.aws import freezer as freezer_module
from warmline.lab.aws.invocation import Invocation
from warmline.lab.workspace import Workspace

if TYPE_CHECKING:
    from .conftest import Gone, OpenEnvironment, Spec, Until

# A thread that writes a byte again and again.
TICKS = """
    import threading, time

    def tick():
        with open("ticks", "ab", buffering=0) as file:
            while True:
                file.write(b".")
                time.sleep(0.001)

    threading.Thread(target=tick, daemon=True).start()

    def lambda_handler(event, context):
        return event
"""


def is_frozen(environment: Environment) -> bool:
    """
    Whether it has come to a stop, which takes a moment.
    """
    group = environment._domain.group
    if group is not None:
        return (group / "cgroup.freeze").read_text() == "1\n" and "frozen 1" in (group / "cgroup.events").read_text()
    threads = Path(f"/proc/{environment.pid}/task").glob("*/stat")
    return {thread.read_text().rpartition(")")[2].split()[0] for thread in threads} == {"T"}


def size(file: Path) -> int:
    """
    How much has been written so far.
    """
    return file.stat().st_size if file.exists() else 0


def test_between_invocations_nothing_in_an_environment_runs(
    environment: OpenEnvironment, spec: Spec, until: Until, freezer: Freezer
) -> None:
    async def scenario() -> None:
        function = spec(TICKS)
        ticks = function.code / "ticks"
        async with environment(function, freezer) as opened:
            assert await opened.start() is None
            frozen_with = 0
            for _ in range(2):
                opened.thaw()
                await until(partial(grown, ticks, frozen_with))
                assert not (await opened.invoke(Invocation(b"{}"))).error
                await opened.settle()
                assert opened.state is State.FROZEN
                await until(lambda: is_frozen(opened))

                frozen_with = size(ticks)
                await asyncio.sleep(0.1)

                assert size(ticks) == frozen_with

    def grown(file: Path, before: int) -> bool:
        return size(file) > before

    asyncio.run(scenario())


def test_the_cgroup_freezer_reaches_what_left_the_process_group(
    environment: OpenEnvironment, spec: Spec, until: Until, gone: Gone, cgroup: CgroupFreezer
) -> None:
    source = """
        import subprocess

        def lambda_handler(event, context):
            ticks = "while :; do echo >> ticks; sleep 0.001; done"
            return subprocess.Popen(["sh", "-c", ticks], start_new_session=True).pid
    """

    async def scenario() -> None:
        function = spec(source)
        ticks = function.code / "ticks"
        async with environment(function, cgroup) as opened:
            assert await opened.start() is None
            outcome = await opened.invoke(Invocation(b"{}"))
            child = int(outcome.payload)
            await until(ticks.exists)
            await opened.settle()
            group = opened._domain.group
            assert group is not None
            assert str(child) in (group / "cgroup.procs").read_text().split()
            await until(lambda: is_frozen(opened))

            frozen_with = size(ticks)
            await asyncio.sleep(0.1)

            assert size(ticks) == frozen_with
        await until(lambda: gone(child))

    asyncio.run(scenario())


def test_a_group_is_removed_with_its_environment(
    environment: OpenEnvironment, spec: Spec, cgroup: CgroupFreezer
) -> None:
    async def scenario() -> None:
        async with environment(spec(TICKS), cgroup) as opened:
            assert await opened.start() is None
            group = opened._domain.group
            assert group is not None
            assert str(opened.pid) in (group / "cgroup.procs").read_text().split()
            opened.freeze()

            await opened.kill()

            assert not group.exists()
            # Nothing is left to forget.
            cgroup.forget(group)

    asyncio.run(scenario())


def test_the_best_freezer_of_a_workspace_is_always_the_same(cgroup: CgroupFreezer, workspace: Workspace) -> None:
    again = best_freezer(workspace)

    assert isinstance(again, CgroupFreezer)
    assert again._parent == cgroup._parent


def test_the_groups_are_gone_with_the_workspace(cgroup: CgroupFreezer) -> None:
    with Workspace() as workspace:
        freezer = best_freezer(workspace)
        assert isinstance(freezer, CgroupFreezer)
        group = freezer.group("app-1")
        assert group is not None
        assert group.is_dir()

    assert not group.parent.exists()


def no_hierarchy(directory: Path) -> Path | None:
    return None


def no_directory(directory: Path) -> Path | None:
    return directory / "gone"


def no_cgroup(directory: Path) -> Path | None:
    return directory


def no_freezer(directory: Path) -> Path | None:
    # A kernel before 5.2: everything but cgroup.freeze.
    (directory / "cgroup.procs").touch()
    return directory


@pytest.mark.parametrize("own_group", [no_hierarchy, no_directory, no_cgroup, no_freezer])
def test_without_a_writable_cgroup_the_best_freezer_is_by_signals(
    own_group: Callable[[Path], Path | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freezer_module, "_own_group", lambda: own_group(tmp_path))
    with Workspace() as workspace:
        assert isinstance(best_freezer(workspace), SignalFreezer)

    assert not list(tmp_path.glob("warmline-*"))
