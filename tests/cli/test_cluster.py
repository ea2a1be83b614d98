from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from warmline.cli.app import app

UP = [sys.executable, "-m", "warmline.cli", "lab", "cluster", "up"]

SCRIPT = """
import os, pymongo
client = pymongo.MongoClient(os.environ["MONGODB_URI"], serverSelectionTimeoutMS=10000)
client["shop"]["orders"].insert_one({})
user = client.admin.command("connectionStatus")["authInfo"]["authenticatedUsers"][0]["user"]
print(client.topology_description.topology_type_name, user)
raise SystemExit(7)
"""


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--members", "1"], "ReplicaSetWithPrimary application"),
        (["--members", "1", "--auth", "iam", "--tier", "M10"], "arn:aws:iam::123456789012:role/orders"),
        (["--members", "1", "--kind", "sharded", "--faces", "4"], "Sharded application"),
    ],
)
def test_a_program_runs_with_the_clusters_names_and_its_exit_code_is_ours(
    options: list[str], says: str, tmp_path: Path
) -> None:
    command = [*UP, *options, "--", sys.executable, "-c", SCRIPT]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=90, check=False, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert done.returncode == 7, done.stderr
    assert says in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_is_the_programs_and_a_signal_that_ends_it_is_told_as_a_shell_does(tmp_path: Path) -> None:
    program = "trap 'echo heard; kill -KILL $$' INT; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(
        [*UP, "--members", "1", "--no-tls", "--auth", "none", "--", "sh", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        start_new_session=True,
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
        # As the terminal does it: to the command and the program.
        os.killpg(run.pid, signal.SIGINT)
        printed, errors = run.communicate(timeout=30)
    assert printed == "heard\n"
    assert run.returncode == 128 + signal.SIGKILL, errors
    assert list(tmp_path.iterdir()) == []


@dataclass
class Running:
    """
    A command that keeps its cluster, and what it has printed.
    """

    process: subprocess.Popen[str]
    lines: list[str]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """
    Start the command with these options and return when it has told everything.
    """
    with ExitStack() as stack:

        def up(*options: str) -> Running:
            process = stack.enter_context(
                subprocess.Popen(
                    [*UP, "--members", "1", *options],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    env={**os.environ, "TMPDIR": str(tmp_path)},
                )
            )
            # A test that fails leaves nothing running.
            stack.callback(process.terminate)
            assert process.stdout is not None
            lines: list[str] = []
            while not lines or "Ctrl-C" not in lines[-1]:
                line = process.stdout.readline()
                assert line, process.communicate()
                lines.append(line)
            return Running(process, lines)

        yield up


@pytest.mark.parametrize(
    ("options", "sees"),
    [
        ([], "ReplicaSetWithPrimary application"),
        (["--tier", "M10", "--auth", "iam"], "Single arn:aws:iam::123456789012:role/orders"),
        (["--kind", "sharded", "--faces", "3"], "Sharded application"),
    ],
)
def test_what_it_prints_works_from_any_shell_and_ctrl_c_ends_it_and_leaves_nothing(
    options: list[str], sees: str, up: Callable[..., Running], tmp_path: Path
) -> None:
    run = up(*options)
    exports = [line for line in run.lines if line.startswith("export ")]
    others = [line for line in run.lines if line not in exports]
    assert all(line.startswith("#") for line in others)
    if "iam" in options:
        (told,) = re.findall(r"end at (.*), after 12 hours", "".join(others))
        left = datetime.strptime(told, "%H:%M on %Y-%m-%d").astimezone() - datetime.now().astimezone()
        assert timedelta(hours=11) < left <= timedelta(hours=12)
    shell = subprocess.run(
        ["sh", "-c", f'{"".join(exports)}exec {sys.executable} -c "$PROGRAM"'],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "PROGRAM": SCRIPT},
    )
    assert (shell.returncode, shell.stdout.strip()) == (7, sees), shell.stderr

    run.process.send_signal(signal.SIGINT)
    _, errors = run.process.communicate(timeout=30)
    assert run.process.returncode == 0
    assert "everything that was started has ended" in errors
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_dies_is_told_in_one_line_and_its_log_is_kept(up: Callable[..., Running]) -> None:
    run = up("--no-tls", "--auth", "none").process
    (server,) = [child for child in psutil.Process(run.pid).children() if "mongod" in child.name()]
    server.kill()
    _, errors = run.communicate(timeout=30)
    assert run.returncode == 2
    assert "mongod-0 has ended while the cluster was in use" in errors
    assert "logs are kept in" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--tier", "M11"], "M11"),
        (["--members", "2"], "1, 3, 5 or 7"),
        (["--no-tls", "--auth", "iam"], "leave TLS on"),
        (["--allow", "everywhere"], "everywhere"),
        (["--faces", "0", "--kind", "sharded"], "1 to 100 faces"),
        (["--kind", "standalone"], "--kind"),
        (["--mongod", "/nowhere/mongod"], "/nowhere/mongod"),
        (["--auth", "iam", "--role", "no role"], "'arn:aws:iam::123456789012:role/no role' is not a role's ARN"),
        (["--", "no-such-program"], "can't run no-such-program: there is no such program on PATH; check"),
        (["--", __file__], f"can't run {__file__}: there is no such program"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(app, ["lab", "cluster", "up", *arguments])
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    # Before anything is started.
    assert "starting" not in result.stderr
