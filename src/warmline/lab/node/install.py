"""
Where the Node.js packages come from: npm, once, into a folder of the user's cache.

On Lambda the runtime client is part of the runtime and not of a function's code; so it is none of the user's packages
here either. It is AWS's own, ``aws-lambda-ric``, in the last version that runs on Node.js 20.

Sources: https://github.com/aws/aws-lambda-nodejs-runtime-interface-client and, for the folder,
https://specifications.freedesktop.org/basedir-spec/latest/
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import NodeUnavailable

_HERE = Path(__file__).parent
_FILES = (_HERE / "package.json", _HERE / "package-lock.json")

# What mongodb 7 asks for.
_NODE = (20, 19)

# aws-lambda-ric compiles libcurl and a module of its own.
_TOOLS = ("cmake", "make", "g++", "autoconf", "automake", "libtoolize")
_PACKAGES = "apt-get install cmake make g++ autoconf automake libtool"

_INSTALLED = ("aws-lambda-ric", "mongodb")
_CLIENT = Path("aws-lambda-ric", "bin", "index.mjs")
_COMPILED = Path("aws-lambda-ric", "dist", "rapid-client.node")


@dataclass(frozen=True, slots=True)
class Node:
    """
    A Node.js that can run functions.

    - ``program``: its path
    - ``version``: as ``20.20.2``
    - ``packages``: the folder with the packages, which ``NODE_PATH`` takes for CommonJS modules
    """

    program: str
    version: str
    packages: Path

    def command(self, handler: str) -> tuple[str, ...]:
        """
        Return the command of a function with this handler, ``index.handler``.
        """
        return (self.program, str(self.packages / _CLIENT), handler)

    def package_versions(self) -> dict[str, str]:
        """
        Return the versions of the client and of the driver.
        """
        read = {name: json.loads((self.packages / name / "package.json").read_text()) for name in _INSTALLED}
        return {name: about["version"] for name, about in read.items()}


async def install_node(on_step: Callable[[str], None] = lambda _step: None) -> Node:
    """
    Find Node.js, and install the packages unless they are there already.

    :raises NodeUnavailable: there is no Node.js, it is too old, or the packages can't be had.
    """
    program = shutil.which("node")
    if program is None:
        raise NodeUnavailable("there is no node on PATH: install Node.js 20.19 or later, with npm")
    version = await _version(program)
    packages = _cache() / "node_modules"
    if not (packages / _COMPILED).exists():
        await _install(packages.parent, on_step)
    return Node(program, version, packages)


async def _version(program: str) -> str:
    process = await asyncio.create_subprocess_exec(program, "--version", stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    found = re.match(r"v((\d+)\.(\d+)\.\d+)", output.decode(errors="replace"))
    if found is None or (int(found[2]), int(found[3])) < _NODE:
        told = output.decode(errors="replace").strip() or "nothing"
        raise NodeUnavailable(f"{program} says that it is {told}: install Node.js 20.19 or later")
    return found[1]


def _cache() -> Path:
    """
    The folder of these packages in these versions; another set of them has another.
    """
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in _FILES)).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache.absolute() / "warmline" / f"node-{digest}"


async def _install(folder: Path, on_step: Callable[[str], None]) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NodeUnavailable("there is no npm on PATH, which comes with Node.js: install it")
    if sys.platform != "linux":
        raise NodeUnavailable("AWS's runtime client for Node.js is built for Linux alone: run this there")
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        raise NodeUnavailable(f"AWS's runtime client for Node.js needs {', '.join(missing)} to be built: {_PACKAGES}")
    on_step(f"installing aws-lambda-ric and mongodb with npm into {folder}, once: some two minutes")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside it, so that nobody finds half of it, and two that install at once don't meet.
    half = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    try:
        for file in _FILES:
            shutil.copy(file, half)
        await _npm(npm, half)
        _put(half, folder)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _put(half: Path, folder: Path) -> None:
    """
    Put what is complete where it belongs, unless another has been faster.
    """
    try:
        half.rename(folder)
    except OSError:
        if not (folder / "node_modules" / _COMPILED).exists():
            raise


async def _npm(npm: str, folder: Path) -> None:
    """
    Install what the lock file in a folder names.
    """
    process = await asyncio.create_subprocess_exec(
        *(npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        # What it starts, compilers and all, ends with it.
        start_new_session=True,
        # It compiles with Python's help.
        env={**os.environ, "npm_config_python": sys.executable},
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode or not (folder / "node_modules" / _COMPILED).exists():
        log = folder.parent / "npm.log"
        log.write_bytes(output)
        raise NodeUnavailable(f"npm could not install aws-lambda-ric and mongodb: see {log}")
