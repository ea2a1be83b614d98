from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from warmline.cli.app import app
from warmline.lab.cluster import Cluster

SOURCE = """
import os

from pymongo import MongoClient

client = MongoClient(os.environ["MONGODB_URI"])


def lambda_handler(event, context):
    print("asked for", event, os.environ.get("TABLE"), context.memory_limit_in_mb)
    if event.get("fail"):
        raise LookupError("no such order")
    return client.admin.command("ping")["ok"]
"""

BOOTSTRAP = f"""#!{sys.executable}
import os, urllib.request

api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as answer:
        request_id, event = answer.headers["Lambda-Runtime-Aws-Request-Id"], answer.read()
    urllib.request.urlopen(api + request_id + "/response", event).close()
"""


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "app.py").write_text(SOURCE)
    (tmp_path / "bootstrap").write_text(BOOTSTRAP)
    (tmp_path / "bootstrap").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments: str, input: str | None = None) -> Result:  # noqa: A002
    return CliRunner().invoke(app, ["lab", "invoke", *arguments], input=input)


def reports(result: Result) -> list[str]:
    return [line for line in result.stderr.splitlines() if line.startswith("REPORT ")]


def opened(report: str) -> list[int]:
    """
    The connections opened to the primary and the two secondaries.
    """
    counts = re.search(r"Connections opened: primary: (\d+), secondary 1: (\d+), secondary 2: (\d+)$", report)
    assert counts, report
    return [int(count) for count in counts.groups()]


def test_a_function_is_invoked_against_a_cluster_of_its_own(code: Path) -> None:
    (code / "event.json").write_text('{"id": 7}')
    result = invoke("app.lambda_handler", "--event", "event.json", "--times", "2", "--freeze", "0.1")
    assert (result.exit_code, result.stdout) == (0, "1.0\n1.0\n"), result.stderr
    assert result.stderr.count("asked for {'id': 7} None 128\n") == 2
    cold, warm = reports(result)
    assert re.search(r"Duration: [\d.]+ ms\tInit Duration: [\d.]+ ms\tMemory Size: 128 MB\t", cold)
    assert "Init Duration" not in warm
    # A monitor may be frozen before it has connected, and does so in the next invocation.
    assert [sum(counts) for counts in zip(opened(cold), opened(warm), strict=True)] == [2, 1, 1]
    assert opened(warm)[0] == 0


def test_a_function_that_fails_is_exit_code_1_and_its_error_is_the_payload(code: Path, replica_set: Cluster) -> None:
    result = invoke("app.py", "--event", "-", "--uri", replica_set.uri, input='{"fail": true}')
    assert result.exit_code == 1
    assert json.loads(result.stdout)["errorMessage"] == "no such order"
    # Each line of the stack trace on one of its own.
    assert "[ERROR] LookupError: no such order\nTraceback" in result.stderr


def test_on_a_cluster_of_the_users_open_connections_are_counted(code: Path, replica_set: Cluster) -> None:
    options = ("--env", "TABLE=orders", "--memory", "256", "--timeout", "30")
    result = invoke("app.lambda_handler", "--uri", replica_set.uri, *options)
    assert (result.exit_code, result.stdout) == (0, "1.0\n"), result.stderr
    assert "asked for {} orders 256" in result.stderr
    # No cluster is started.
    assert "starting" not in result.stderr
    [report] = reports(result)
    assert f"{replica_set.primary().address}: 2" in report.partition("Connections open: ")[2]


def test_any_program_that_speaks_the_runtime_api_can_be_invoked(code: Path, replica_set: Cluster) -> None:
    result = invoke("--command", "./bootstrap --quiet", "--event", "-", "--uri", replica_set.uri, input="[1, 2]")
    assert (result.exit_code, result.stdout) == (0, "[1, 2]\n"), result.stderr
    assert reports(result)[0].endswith("Connections open: none")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "no function is named"),
        (["app"], "'app' is no handler"),
        (["missing.handler"], "there is no module missing in"),
        (["app.lambda_handler", "--code", "nowhere"], "the code folder is no folder: nowhere"),
        (["app.lambda_handler", "--event", "missing.json"], "can't read the event from missing.json: No such file"),
        (["app.lambda_handler", "--event", "app.py"], "the event in app.py is not JSON: "),
        (["app.lambda_handler", "--event", "-"], "the event in standard input is not JSON: "),
        (["app.lambda_handler", "--env", "pass word=secret"], "--env takes NAME=VALUE"),
        (["app.lambda_handler", "--env", "TABLE"], "--env takes NAME=VALUE"),
        (["app.lambda_handler", "--uri", "http://me:secret@host"], "begins neither with mongodb:// nor"),
        (["app.lambda_handler", "--mongod", "/nowhere/mongod"], "/nowhere/mongod"),
        (["app.lambda_handler", "--times", "0"], "--times"),
        (["--command", "./app.py"], "is not executable: chmod +x"),
        (["--command", "'./app.py"], "--command can't be read: No closing quotation"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(code: Path, arguments: list[str], says: str) -> None:
    (code / "app.py").chmod(stat.S_IRUSR)
    result = invoke(*arguments, input="")
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert "secret" not in result.stderr
    # Before anything is started.
    assert "starting" not in result.stderr


def test_an_event_that_is_too_large_is_refused(code: Path) -> None:
    result = invoke("app.lambda_handler", "--event", "-", input='"' + "x" * 6_291_456 + '"')
    assert (result.exit_code, "6,291,458 bytes: Lambda takes 6,291,456" in result.stderr) == (2, True)


def test_ctrl_c_ends_a_function_that_hangs_and_leaves_nothing(code: Path, replica_set: Cluster, tmp_path: Path) -> None:
    (code / "hangs.py").write_text("import time\ndef handler(event, context):\n    print('hangs'); time.sleep(600)\n")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-m", "warmline.cli", "lab", "invoke", "hangs.py", "--timeout", "600"]
    with subprocess.Popen(
        [*command, "--uri", replica_set.uri],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
    ) as run:
        assert run.stderr is not None
        # Shown while it runs.
        assert run.stderr.readline() == "hangs\n"
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=30)
    assert (run.returncode, errors) == (130, "warmline: stopped; everything that was started has ended\n")
    assert list(scratch.iterdir()) == []
