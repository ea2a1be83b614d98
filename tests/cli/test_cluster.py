from __future__ import annotations

import os
import signal
import subprocess
import sys
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


def started(tmp_path: Path) -> subprocess.Popen[str]:
    run = subprocess.Popen(
        [*UP, "--members", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert run.stdout is not None
    lines: list[str] = []
    while not lines or "Ctrl-C" not in lines[-1]:
        line = run.stdout.readline()
        assert line, run.communicate()
        lines.append(line)
    assert any(line.startswith("export MONGODB_URI=") for line in lines)
    return run


def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    run = started(tmp_path)
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=30)
    assert run.returncode == 0
    assert "everything that was started has ended" in errors
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_dies_is_told_in_one_line_and_its_log_is_kept(tmp_path: Path) -> None:
    run = started(tmp_path)
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
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(app, ["lab", "cluster", "up", *arguments])
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr
