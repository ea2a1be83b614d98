from __future__ import annotations

import subprocess
import sys

import pytest

from warmline.lab.aws.cpu import cpu_share, limited_group
from warmline.lab.workspace import Workspace

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
