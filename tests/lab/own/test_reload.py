from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from warmline.lab.aws import FunctionSpec, InvokeResult
from warmline.lab.own import Reloading, open_session, own_function
from warmline.lab.own.reload import files

# Nothing here asks a cluster.
URI = "mongodb://127.0.0.1:1"

BEFORE = """
import time
from pathlib import Path

def lambda_handler(event, context):
    while event == "wait" and not Path("../end").exists():
        Path("../waits").touch()
        time.sleep(0.005)
    return "before"
"""
AFTER = "def lambda_handler(event, context): return 'after'"

Scenario = Callable[[Reloading, list[str]], Awaitable[None]]


@pytest.fixture
def code(tmp_path: Path) -> Path:
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text(BEFORE)
    return code


def run(function: FunctionSpec, scenario: Scenario) -> None:
    async def with_session() -> None:
        lines: list[str] = []
        results: list[InvokeResult] = []
        async with asyncio.timeout(60), open_session(uri=URI) as session:
            reloading = Reloading(
                session, [function], on_reload=lines.append, on_result=lambda _spec, result: results.append(result)
            )
            await scenario(reloading, lines)
        assert results

    asyncio.run(with_session())


async def answer(reloading: Reloading, event: str = "x") -> str:
    result = await reloading.invoke("app", json.dumps(event).encode())
    assert result.function_error is None, result.payload
    text: str = json.loads(result.payload)
    return text


def test_the_invocation_after_a_change_runs_the_new_code_and_others_stay_warm(code: Path) -> None:
    async def scenario(reloading: Reloading, lines: list[str]) -> None:
        assert await answer(reloading) == "before"
        warm = await reloading.invoke("app")
        assert not warm.cold
        # At once, without a moment for anybody to hear of it.
        (code / "app.py").write_text(AFTER)
        assert await answer(reloading) == "after"
        assert lines == ["app has changed (app.py): new environments from now on"]
        assert not (await reloading.invoke("app")).cold

    run(own_function("app.lambda_handler", code=code), scenario)


def test_an_invocation_that_runs_finishes_with_the_code_that_it_began_with(code: Path, tmp_path: Path) -> None:
    async def scenario(reloading: Reloading, lines: list[str]) -> None:
        running = asyncio.create_task(answer(reloading, "wait"))
        while not (tmp_path / "waits").exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.005)
        (code / "app.py").write_text(AFTER)
        assert await answer(reloading) == "after"
        (tmp_path / "end").touch()
        assert await running == "before"

    run(own_function("app.lambda_handler", code=code, timeout_seconds=30), scenario)


def test_while_a_program_is_being_built_the_environments_of_before_go_on(code: Path) -> None:
    program = code / "bootstrap"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -m awslambdaric app.lambda_handler\n")
    program.chmod(0o755)

    async def scenario(reloading: Reloading, lines: list[str]) -> None:
        assert await answer(reloading) == "before"
        text = program.read_text()
        program.unlink()
        assert await answer(reloading) == "before"
        assert lines == [
            f"the command of function app is not there: {program}; build it, or name another; "
            "the environments of before go on"
        ]
        (code / "app.py").write_text(AFTER)
        program.write_text(text)
        program.chmod(0o755)
        assert await answer(reloading) == "after"

    run(own_function(name="app", command=("./bootstrap",), code=code), scenario)


def test_what_running_and_tools_leave_in_the_folder_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "app.py").touch()
    before = files(tmp_path)
    for name in ("__pycache__/app.pyc", ".git/HEAD", "node_modules/a/index.js", ".swp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert files(tmp_path) == before
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "orders.py").touch()
    [(path, _time, size)] = files(tmp_path) - before
    assert (path, size) == (str(tmp_path / "shop" / "orders.py"), 0)
    # A folder that is not there has none.
    assert files(tmp_path / "nowhere") == frozenset()
