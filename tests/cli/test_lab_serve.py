from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import boto3
import psutil
import pytest
from typer.testing import CliRunner

from warmline.cli.app import app
from warmline.lab.cluster import Cluster

SERVE = [sys.executable, "-m", "warmline.cli", "lab", "serve"]

SOURCE = """
import os

from pymongo import MongoClient

client = MongoClient(os.environ["MONGODB_URI"])


def lambda_handler(event, context):
    print("asked for", event)
    return [context.function_name, client.admin.command("ping")["ok"]]
"""

TEMPLATE = """
Resources:
  OrdersFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: ., Handler: app.lambda_handler, Runtime: python3.13, MemorySize: 512}
  ItemsFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: ., Handler: app.lambda_handler, Runtime: python3.13}
"""


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text(SOURCE)
    (code / "template.yaml").write_text(TEMPLATE)
    monkeypatch.chdir(code)
    return code


@dataclass
class Served:
    """
    A command that serves, what it has printed, and how it ends.
    """

    process: subprocess.Popen[str]
    lines: list[str]

    @property
    def urls(self) -> dict[str, str]:
        """
        Where curl is told to send an event, by the function's name.
        """
        found = [line.split()[-1] for line in self.lines if line.startswith("curl ")]
        return {url.split("/")[-2]: url for url in found}

    def end(self) -> str:
        """
        Press Ctrl-C, and return what was told on standard error.
        """
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=30)[1]


@pytest.fixture
def serve(code: Path, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with ExitStack() as stack:

        def serve(*arguments: str) -> Served:
            process = stack.enter_context(
                subprocess.Popen(
                    [*SERVE, *arguments, "--port", "0"],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    env={**os.environ, "TMPDIR": str(scratch)},
                )
            )
            stack.callback(process.terminate)
            assert process.stdout is not None
            lines: list[str] = []
            while not lines or "Ctrl-C" not in lines[-1]:
                line = process.stdout.readline()
                assert line, process.communicate()
                lines.append(line)
            return Served(process, lines)

        yield serve
    assert list(scratch.iterdir()) == []


def post(url: str, event: object = None) -> object:
    with urllib.request.urlopen(url, json.dumps(event).encode(), timeout=30) as answer:  # noqa: S310 - ours
        return json.loads(answer.read())


def test_a_function_is_served_to_curl_and_boto3_with_the_code_as_it_is(
    serve: Callable[..., Served], code: Path, replica_set: Cluster
) -> None:
    served = serve("app.lambda_handler", "--uri", replica_set.uri)
    url = served.urls["app"]
    assert post(url, {"id": 7}) == ["app", 1.0]

    [command] = [line.split() for line in served.lines if line.startswith("aws ")]
    options = dict(zip(command[3::2], command[4::2], strict=False))
    client = boto3.client(
        "lambda",
        endpoint_url=options["--endpoint-url"],
        region_name=options["--region"],
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    answer = client.invoke(FunctionName=options["--function-name"], Payload=b"{}")
    assert json.loads(answer["Payload"].read()) == ["app", 1.0]
    client.close()

    (code / "app.py").write_text("def lambda_handler(event, context): return 'changed'")
    assert post(url) == "changed"

    told = served.end()
    assert served.process.returncode == 0
    assert "asked for {'id': 7}\n" in told
    assert "app\tREPORT RequestId: " in told
    assert "warmline: app has changed (app.py): new environments from now on\n" in told
    assert told.endswith("warmline: stopped; everything that was started has ended\n")
    # The connection string of the user's own cluster is not shown.
    assert replica_set.uri not in "".join(served.lines) + told


def test_several_functions_have_names_or_those_of_their_template(
    serve: Callable[..., Served], replica_set: Cluster
) -> None:
    served = serve("orders=app.lambda_handler", "items=app.lambda_handler", "--uri", replica_set.uri)
    assert {name: post(url) for name, url in served.urls.items()} == {"orders": ["orders", 1], "items": ["items", 1]}
    served.end()

    served = serve("--template", "template.yaml", "--uri", replica_set.uri)
    assert list(served.urls) == ["OrdersFunction", "ItemsFunction"]
    assert post(served.urls["ItemsFunction"]) == ["ItemsFunction", 1]
    told = served.end()
    assert "OrdersFunction: MONGODB_URI is the lab's cluster: no variable looks like a connection string" in told


def test_its_cluster_ends_with_it_also_by_ctrl_c_in_the_middle_of_an_invocation(
    serve: Callable[..., Served], code: Path
) -> None:
    (code / "hangs.py").write_text("import time\ndef handler(event, context):\n    print('hangs'); time.sleep(600)\n")
    served = serve("hangs.py", "--timeout", "600")
    assert any(line.startswith("export MONGODB_URI='mongodb://127.0.0.1:") for line in served.lines)
    assert sum("mongod" in child.name() for child in psutil.Process(served.process.pid).children()) == 3

    def hang() -> None:
        # The connection is closed when the server ends.
        with pytest.raises(OSError):
            post(served.urls["hangs"])

    caller = threading.Thread(target=hang)
    caller.start()
    assert served.process.stderr is not None
    while "hangs" not in served.process.stderr.readline():
        pass
    assert served.end().endswith("warmline: stopped; everything that was started has ended\n")
    caller.join(timeout=30)
    assert served.process.returncode == 0


def test_a_server_that_dies_is_told_in_one_line_and_its_log_is_kept(serve: Callable[..., Served]) -> None:
    served = serve("app.lambda_handler")
    mongod = next(child for child in psutil.Process(served.process.pid).children() if "mongod" in child.name())
    mongod.kill()
    told = served.process.communicate(timeout=30)[1]
    assert served.process.returncode == 2
    last = told.splitlines()[-1]
    assert last.startswith("warmline: mongod-")
    assert " ended with status -9: " in last
    kept = Path(last.partition("logs are kept in ")[2])
    assert (kept / "mongod-0.log").exists()
    assert "Traceback" not in told
    # All that is left.
    shutil.rmtree(kept.parent)


def test_a_port_that_is_in_use_is_told_before_anything_starts(code: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(app, ["lab", "serve", "app.lambda_handler", "--port", str(port)])
    assert result.exit_code == 2
    assert result.stderr == f"warmline: port {port} of 127.0.0.1 is in use: choose another with --port, or 0 for any\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "no function is named"),
        (["missing.handler"], "there is no module missing in"),
        (["app.lambda_handler", "app.lambda_handler"], "two functions are called app: give each a name"),
        (["app.lambda_handler", "--template", "template.yaml"], "leave the handlers out, or --template"),
        (
            ["--template", "template.yaml", "--function", "Order"],
            "no function Order: OrdersFunction, ItemsFunction",
        ),
        (["--template", "app.py"], "app.py is no SAM or CloudFormation template"),
        (["app.lambda_handler", "--function", "Order"], "--function Order needs the template that it is in"),
        (["app.lambda_handler", "--uri", "me:secret@host"], "begins neither with mongodb:// nor"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(code: Path, arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(app, ["lab", "serve", "--port", "0", *arguments])
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert "secret" not in result.stderr
    assert "starting" not in result.stderr
