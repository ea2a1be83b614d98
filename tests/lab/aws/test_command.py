from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from warmline.lab.aws import FunctionSpec, LambdaService
from warmline.lab.errors import UnusableFunction

if TYPE_CHECKING:
    from .conftest import Run

# A custom runtime, of nothing but what the Runtime API's page says.
BOOTSTRAP = f"""#!{sys.executable}
import json, os, sys, urllib.request

api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
names = ("_HANDLER", "PATH", "AWS_EXECUTION_ENV", "LAMBDA_TASK_ROOT", "PWD", "GREETING")
while True:
    with urllib.request.urlopen(api + "next") as answer:
        request_id, event = answer.headers["Lambda-Runtime-Aws-Request-Id"], json.load(answer)
    if event == "end":
        sys.exit(3)
    about = {{name: os.environ.get(name) for name in names}}
    body = {{"event": event, "arguments": sys.argv[1:], "folder": os.getcwd(), "variables": about}}
    what = "error" if event == "fail" else "response"
    urllib.request.urlopen(urllib.request.Request(api + request_id + "/" + what, json.dumps(body).encode())).close()
"""


@pytest.fixture
def bootstrap(tmp_path: Path) -> Path:
    file = tmp_path / "bootstrap"
    file.write_text(BOOTSTRAP)
    file.chmod(0o755)
    return file


def test_any_program_that_speaks_the_runtime_api_is_a_function(run: Run, bootstrap: Path) -> None:
    function = FunctionSpec(
        "custom",
        bootstrap.parent,
        handler="orders.find",
        command=("./bootstrap", "--verbose"),
        runtime="provided.al2023",
        environment={"GREETING": "hello"},
    )

    async def scenario(service: LambdaService) -> None:
        service.deploy(function)
        cold = await service.invoke("custom", b'{"id": 1}')
        warm = await service.invoke("custom", b"2")
        failed = await service.invoke("custom", b'"fail"')
        ended = await service.invoke("custom", b'"end"')
        again = await service.invoke("custom", b"3")

        answer = json.loads(cold.payload)
        assert answer["event"] == {"id": 1}
        assert answer["arguments"] == ["--verbose"]
        assert answer["folder"] == answer["variables"]["LAMBDA_TASK_ROOT"] == str(bootstrap.parent)
        assert answer["variables"]["_HANDLER"] == "orders.find"
        assert answer["variables"]["PATH"] == "/usr/local/bin:/usr/bin:/bin"
        assert answer["variables"]["GREETING"] == "hello"
        # Lambda does not set it where the function brings its own runtime.
        assert answer["variables"]["AWS_EXECUTION_ENV"] is None
        assert json.loads(warm.payload)["event"] == 2
        assert (cold.cold, warm.cold, again.cold) == (True, False, False)
        assert json.loads(again.payload)["event"] == 3
        assert (warm.function_error, failed.function_error, ended.function_error) == (None, "Unhandled", "Unhandled")
        assert json.loads(failed.payload)["event"] == "fail"
        assert json.loads(ended.payload)["errorType"] == "Runtime.ExitError"

    run(scenario)


@pytest.mark.parametrize("name", ["./bootstrap", "bootstrap", sys.executable])
def test_a_program_is_found_in_the_code_folder_by_its_path_and_on_path(run: Run, bootstrap: Path, name: str) -> None:
    arguments = ("bootstrap",) if name == sys.executable else ()

    async def scenario(service: LambdaService) -> None:
        service.deploy(FunctionSpec("custom", bootstrap.parent, command=(name, *arguments)))
        assert json.loads((await service.invoke("custom", b"1")).payload)["event"] == 1

    run(scenario)


def test_a_program_that_is_not_there_is_looked_for_on_path(run: Run, tmp_path: Path) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(FunctionSpec("custom", tmp_path, command=("sh", "-c", "exit 7")))
        assert "exit status 7" in json.loads((await service.invoke("custom", b"1")).payload)["errorMessage"]

    run(scenario)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ((), "the command of function custom is empty"),
        (("./missing",), "is not there: .*/missing; build it"),
        (("no-such-program",), "found neither in .* nor on PATH: no-such-program"),
        (("./folder",), "is no file: .*/folder"),
        (("./plain",), "is not executable: chmod \\+x .*/plain"),
        (("./text",), "is no program: .*/text begins neither with #! nor as a binary"),
    ],
)
def test_a_command_that_cannot_run_is_refused_before_anything_starts(
    run: Run, tmp_path: Path, command: tuple[str, ...], says: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").write_text("#!/bin/sh\n")
    (tmp_path / "plain").chmod(stat.S_IRUSR)
    (tmp_path / "text").write_text("exit 0\n")
    (tmp_path / "text").chmod(0o755)

    async def scenario(service: LambdaService) -> None:
        with pytest.raises(UnusableFunction, match=says):
            service.deploy(FunctionSpec("custom", tmp_path, command=command))

    run(scenario)


def test_an_interpreter_that_is_not_there_is_told_in_the_log(run: Run, bootstrap: Path) -> None:
    bootstrap.write_text("#!/no/such/interpreter\n")

    async def scenario(service: LambdaService) -> None:
        service.deploy(FunctionSpec("custom", bootstrap.parent, command=("./bootstrap",)))
        result = await service.invoke("custom", b"1")
        assert json.loads(result.payload)["errorMessage"].endswith("Runtime exited with error: exit status 127")
        assert f"can't start {bootstrap}: " in result.log_tail

    run(scenario)
