from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from warmline.lab.aws import Freezer, LambdaService, SignalFreezer, StartMode, best_freezer, cpu
from warmline.lab.aws.cpu import CpuGroup, CpuGroups, cpu_share, limited_group
from warmline.lab.errors import CpuLimitUnavailable
from warmline.lab.workspace import Workspace

if TYPE_CHECKING:
    from .conftest import Spec

# How much of a CPU it gets while it computes.
PROGRAM = """
import sys, time
with open(sys.argv[1] + "/cgroup.procs", "w") as file:
    file.write("0")
wall, cpu = time.perf_counter(), time.process_time()
while time.process_time() < cpu + 0.2:
    pass
print(0.2 / (time.perf_counter() - wall))
"""


def test_memory_buys_a_share_of_a_cpu() -> None:
    assert cpu_share(1769) == 1
    assert round(cpu_share(512), 3) == 0.289


def test_processes_in_the_group_get_no_more_than_their_share_and_it_is_gone_with_the_workspace() -> None:
    with Workspace() as workspace:
        group = limited_group(workspace, 0.25)
        if group is None:
            pytest.skip("this process may not make a cgroup with a CPU limit")
        done = subprocess.run([sys.executable, "-c", PROGRAM, str(group)], check=True, capture_output=True, text=True)
        # A little more than its share at the edges of a period.
        assert float(done.stdout) < 0.35
        assert limited_group(workspace, 0.25) == group
    assert not group.exists()


@pytest.fixture
def cpu_groups(workspace: Workspace) -> None:
    try:
        CpuGroups(workspace, best_freezer(workspace))
    except CpuLimitUnavailable as unavailable:
        pytest.skip(str(unavailable))


def limit(group: Path) -> float:
    """
    The share of a CPU that the kernel gives to a group.
    """
    if (group / "cpu.max").exists():
        quota, period = (group / "cpu.max").read_text().split()
    else:
        quota, period = ((group / f"cpu.cfs_{which}_us").read_text() for which in ("quota", "period"))
    return int(quota) / int(period)


def throttled(service: LambdaService) -> int:
    """
    In how many periods the environment has used its share up.
    """
    (environment,) = service.environments()
    group = environment._domain.cpu
    assert group is not None
    numbers = dict(line.split() for line in (group.path / "cpu.stat").read_text().splitlines())
    return int(numbers["nr_throttled"])


@pytest.mark.usefixtures("cpu_groups")
def test_an_environment_has_the_whole_cpu_in_init_and_its_share_afterwards(
    workspace: Workspace, spec: Spec, freezer: Freezer, start: StartMode
) -> None:
    source = """
        import time

        def compute():
            wall, cpu = time.perf_counter(), time.process_time()
            while time.process_time() < cpu + 0.2:
                pass
            return 0.2 / (time.perf_counter() - wall)

        compute()

        def lambda_handler(event, context):
            return compute()
    """

    async def scenario() -> None:
        async with LambdaService(workspace, freezer=freezer) as service:
            function = spec(source, start=start, cpu="by-memory", memory_mb=442)
            service.deploy(function)
            await service.prepare("app", 1)
            # Init took more than a share would have given it, and was never held up. How often the handler is depends
            # on how much a busy machine lets it take, but its share it never exceeds.
            assert throttled(service) == 0
            for _ in range(2):
                result = await service.invoke("app")
                # A quarter, and a little more at the edges of a period.
                assert json.loads(result.payload) < 0.4
            (environment,) = service.environments()
            group = environment._domain.cpu
            assert group is not None
            assert limit(group.path) == pytest.approx(442 / 1769, abs=1e-4)
        assert not group.path.exists()

    asyncio.run(scenario())


def test_where_no_cgroup_can_be_had_a_function_with_a_share_is_refused(
    workspace: Workspace, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "_hierarchies", lambda: iter(()))

    async def scenario() -> None:
        async with LambdaService(workspace, freezer=SignalFreezer()) as service:
            with pytest.raises(CpuLimitUnavailable, match="can't have a share of a CPU by their memory here"):
                service.deploy(spec("", cpu="by-memory"))

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["cpu.max"], {"cpu.max": "40000 20000"}),
        (
            ["cpu.cfs_period_us", "cpu.cfs_quota_us"],
            {"cpu.cfs_period_us": "20000", "cpu.cfs_quota_us": "40000"},
        ),
    ],
    ids=["v2", "v1"],
)
def test_a_share_can_be_more_than_one_cpu(tmp_path: Path, files: list[str], expected: dict[str, str]) -> None:
    for file in files:
        (tmp_path / file).touch()
    CpuGroup(tmp_path).limit(cpu_share(2 * 1769))
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == expected


def test_a_limit_without_the_controller_is_an_error_and_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        CpuGroup(tmp_path).limit(0.5)
    assert list(tmp_path.iterdir()) == []
