from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from warmline.cli.app import app
from warmline.lab.errors import NodeUnavailable
from warmline.lab.node import Node, install_node

Program = Callable[[str, str], None]

TOOLS = ("cmake", "make", "g++", "autoconf", "automake", "libtoolize")

# What npm leaves behind, without the two minutes.
INSTALLS = """
echo "$@" >> ../calls
test -f package.json && test -f package-lock.json || exit 1
mkdir -p node_modules/aws-lambda-ric/dist node_modules/mongodb
touch node_modules/aws-lambda-ric/dist/rapid-client.node
echo '{"version": "3.3.0"}' > node_modules/aws-lambda-ric/package.json
echo '{"version": "7.9.0"}' > node_modules/mongodb/package.json
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "warmline"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Program:
    """
    Make a program that is found on PATH, where else there is only what every system has.
    """
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "mkdir", "touch", "echo", "test"):
        (folder / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(folder))

    def program(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}")
        (folder / name).chmod(0o755)

    return program


@pytest.fixture
def node_20(program: Program) -> None:
    program("node", "echo v20.20.2")
    for tool in TOOLS:
        program(tool, "exit 0")


def test_the_packages_are_installed_once_and_it_is_said(node_20: None, program: Program, cache: Path) -> None:
    program("npm", INSTALLS)
    said: list[str] = []

    node, again = (asyncio.run(install_node(said.append)) for _ in range(2))

    assert (node, again) == (again, node)
    assert isinstance(node, Node)
    assert node.version == "20.20.2"
    assert node.packages.parent.parent == cache
    assert node.command("index.handler")[1:] == (str(node.packages / "aws-lambda-ric/bin/index.mjs"), "index.handler")
    assert node.package_versions() == {"aws-lambda-ric": "3.3.0", "mongodb": "7.9.0"}
    assert said == [
        f"installing aws-lambda-ric and mongodb with npm into {node.packages.parent}, once: some two minutes"
    ]
    assert (cache / "calls").read_text() == "ci --no-audit --no-fund --loglevel=error\n"
    # No half of it.
    assert sorted(path.name for path in cache.iterdir()) == sorted(["calls", node.packages.parent.name])


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo v18.20.4", "node says that it is v18.20.4: install Node.js 20.19 or later"),
        ("echo v20.18.0", "node says that it is v20.18.0: install Node.js 20.19 or later"),
        ("exit 1", "node says that it is nothing: install"),
    ],
)
def test_a_node_that_is_too_old_is_named(program: Program, script: str, says: str) -> None:
    program("node", script)
    with pytest.raises(NodeUnavailable, match=says):
        asyncio.run(install_node())


def test_what_is_missing_is_named_with_the_next_step(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def says() -> str:
        with pytest.raises(NodeUnavailable) as caught:
            asyncio.run(install_node())
        return str(caught.value)

    assert says() == "there is no node on PATH: install Node.js 20.19 or later, with npm"
    program("node", "echo v22.1.0")
    assert says() == "there is no npm on PATH, which comes with Node.js: install it"
    program("npm", "exit 1")
    program("make", "exit 0")
    assert says() == (
        "AWS's runtime client for Node.js needs cmake, g++, autoconf, automake, libtoolize to be built: "
        "apt-get install cmake make g++ autoconf automake libtool"
    )
    monkeypatch.setattr(sys, "platform", "darwin")
    assert says() == "AWS's runtime client for Node.js is built for Linux alone: run this there"


@pytest.mark.parametrize("script", ["echo no network; exit 1", "echo no network"])
def test_an_installation_that_fails_leaves_its_log_and_nothing_else(
    node_20: None, program: Program, cache: Path, script: str
) -> None:
    program("npm", script)
    with pytest.raises(NodeUnavailable, match=f"npm could not install .*: see {cache}/npm.log"):
        asyncio.run(install_node())
    assert (cache / "npm.log").read_text() == "no network\n"
    assert [path.name for path in cache.iterdir()] == ["npm.log"]


def test_an_installation_that_is_broken_off_ends_npm_and_leaves_nothing(
    node_20: None, program: Program, cache: Path
) -> None:
    # Its pid is there when it is well under way, and not while it is being started.
    program("npm", "sh -c 'echo $$ > ../child.pid; exec sleep 600' & sleep 0.5; echo $$ > ../npm.pid; wait")
    (cache.parent.parent / "bin" / "sleep").symlink_to("/bin/sleep")

    async def break_off() -> list[int]:
        task = asyncio.create_task(install_node())
        files = [cache / "npm.pid", cache / "child.pid"]
        while not all(file.exists() and file.read_text().strip() for file in files):  # noqa: ASYNC110 - others write it
            await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        return [int(file.read_text()) for file in files]

    npm, child = asyncio.run(break_off())
    with pytest.raises(ProcessLookupError):
        os.kill(npm, 0)
    deadline = time.monotonic() + 30
    while not gone(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert sorted(path.name for path in cache.iterdir()) == ["child.pid", "npm.pid"]


def gone(pid: int) -> bool:
    """
    Whether a process has ended, also one that nobody has waited for.
    """
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_without_node_the_experiment_ends_before_a_cluster_starts(program: Program) -> None:
    result = CliRunner().invoke(app, ["lab", "run", "event-loop"])
    assert result.exit_code == 2
    assert "there is no node on PATH: install Node.js 20.19 or later, with npm" in result.stderr
    assert "Traceback" not in result.stderr
