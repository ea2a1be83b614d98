from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from warmline.lab.errors import JanitorLost
from warmline.lab.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="the janitor finds processes in /proc")


def sleeper(environ: dict[str, str], *, program: str = "import time; time.sleep(60)") -> subprocess.Popen[bytes]:
    """
    Start a process with this environment, which sleeps unless told otherwise.
    """
    return subprocess.Popen([sys.executable, "-c", program], env=os.environ | environ, stdout=subprocess.PIPE)


def wait_for(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_process_with_the_mark_is_killed_and_counted() -> None:
    with Workspace() as workspace:
        process = sleeper(workspace.environ())

    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert workspace.swept == 1


def test_a_process_without_the_mark_or_with_another_one_lives_on() -> None:
    with Workspace() as other:
        with Workspace() as workspace:
            processes = [sleeper({}), sleeper(other.environ())]
        assert workspace.swept == 0
        assert [process.poll() for process in processes] == [None, None]

        for process in processes:
            process.kill()
            process.communicate()


def test_a_stopped_process_is_killed() -> None:
    with Workspace() as workspace:
        process = sleeper(workspace.environ())
        process.send_signal(signal.SIGSTOP)
        wait_for(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)

    process.communicate()
    assert process.returncode == -signal.SIGKILL


LEAVES_ITS_FAMILY = """
import os, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)"],
                 start_new_session=True)
"""


def test_a_process_that_left_its_group_and_its_parent_is_killed() -> None:
    with Workspace() as workspace:
        parent = sleeper(workspace.environ(), program=LEAVES_ITS_FAMILY)
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert parent.wait() == 0
        assert os.getsid(pid) == pid
        parent.stdout.close()

    assert workspace.swept == 1
    wait_for(lambda: is_gone(pid))


FORKS_AGAIN_AND_AGAIN = """
import os, time
print("ready", flush=True)
while True:
    if os.fork():
        os._exit(0)
    time.sleep(0.001)
"""


def test_a_chain_of_forks_cannot_outrun_the_janitor() -> None:
    mark = {"WARMLINE_TEST": secrets.token_hex(8)}
    with Workspace() as workspace:
        process = sleeper(workspace.environ() | mark, program=FORKS_AGAIN_AND_AGAIN)
        assert process.stdout is not None
        process.stdout.readline()
        process.wait()
        process.stdout.close()

    assert workspace.swept is not None
    wait_for(lambda: not list(processes_with(mark)))


def processes_with(variables: dict[str, str]) -> Iterator[int]:
    wanted = {f"{name}={value}".encode() for name, value in variables.items()}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environ = set((process / "environ").read_bytes().split(b"\0"))
        except OSError:
            continue
        if wanted <= environ:
            yield int(process.name)


def janitor_of(workspace: Workspace) -> psutil.Process:
    """
    Find the janitor by what `ps` shows of it.
    """
    children = psutil.Process().children()
    return next(child for child in children if str(workspace.directory) in child.cmdline())


def test_the_janitor_is_out_of_the_terminals_reach() -> None:
    with Workspace() as workspace:
        janitor = janitor_of(workspace)

        assert os.getsid(janitor.pid) == janitor.pid


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_that_end_other_processes_do_not_end_the_janitor(signum: signal.Signals) -> None:
    with Workspace() as workspace:
        janitor = janitor_of(workspace)
        wait_for(lambda: ignores(janitor.pid, signum))
        janitor.send_signal(signum)
        process = sleeper(workspace.environ())

    process.communicate()
    assert workspace.swept == 1
    assert not workspace.directory.exists()


def ignores(pid: int, signum: signal.Signals) -> bool:
    """
    Tell whether the process has come as far as to ignore the signal.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line for line in status.splitlines() if line.startswith("SigIgn:")).split()[1]
    return bool(int(mask, 16) & 1 << (signum - 1))


def test_a_killed_janitor_is_reported_with_what_is_left_to_do() -> None:
    with pytest.raises(JanitorLost) as raised, Workspace() as workspace:
        janitor_of(workspace).kill()

    assert f"end the processes with WARMLINE_LAB={workspace.token}" in str(raised.value)
    assert f"remove {workspace.directory}" in str(raised.value)
    workspace.logs.rmdir()
    workspace.directory.rmdir()


def test_registered_directories_are_removed_deepest_first(tmp_path: Path) -> None:
    root = tmp_path / "group"
    (root / "a" / "b").mkdir(parents=True)
    (root / "c").mkdir()

    with Workspace() as workspace:
        workspace.remove_at_end(root)

    assert not root.exists()


def test_a_registered_cgroup_is_removed_with_the_processes_in_it() -> None:
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    root = next((Path(fields[1]) for fields in mounts if fields[2] == "cgroup2"), None)
    group = root / f"warmline-test-{secrets.token_hex(4)}" if root else None
    try:
        assert group is not None
        (group / "inner").mkdir(parents=True)
    except (AssertionError, OSError):
        pytest.skip("no writable cgroup v2 file system")

    with Workspace() as workspace:
        workspace.remove_at_end(group)
        process = sleeper(workspace.environ())
        (group / "inner" / "cgroup.procs").write_text(str(process.pid))
        (group / "inner" / "cgroup.freeze").write_text("1")

    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not group.exists()


FORKS_AND_WAITS = """
import os, sys, time
from warmline.lab.workspace import Workspace
try:
    with Workspace() as workspace:
        print(workspace.directory, flush=True)
        if os.fork() == 0:
            raise RuntimeError
        time.sleep(60)
except RuntimeError:
    print(workspace.directory.exists(), os.getpid(), flush=True)
    time.sleep(60)
"""


def test_a_forked_child_neither_ends_the_run_nor_keeps_it_alive() -> None:
    environ = {"PYTHONPATH": os.pathsep.join(sys.path)}
    lab = sleeper(environ, program=FORKS_AND_WAITS)
    assert lab.stdout is not None
    directory = Path(lab.stdout.readline().decode().strip())
    still_there, child = lab.stdout.readline().split()
    assert still_there == b"True"

    lab.kill()
    lab.wait()

    wait_for(lambda: not directory.exists())
    assert not is_gone(int(child))
    os.kill(int(child), signal.SIGKILL)
    lab.stdout.close()


SLEEPS_IN_A_LAB = """
import time
from warmline.lab.workspace import Workspace
with Workspace() as workspace:
    print(workspace.directory, flush=True)
    time.sleep(60)
"""


def test_a_lab_inside_a_lab_cleans_up_when_the_outer_one_kills_it() -> None:
    with Workspace() as outer:
        environ = outer.environ() | {"PYTHONPATH": os.pathsep.join(sys.path)}
        inner = sleeper(environ, program=SLEEPS_IN_A_LAB)
        assert inner.stdout is not None
        directory = Path(inner.stdout.readline().decode().strip())
        assert directory.exists()

    inner.communicate()
    assert outer.swept == 1
    wait_for(lambda: not directory.exists())
