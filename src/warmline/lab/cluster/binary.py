"""
Which MongoDB server the lab starts: found, made executable, and tried once.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from warmline.lab.cache import cache_folder
from warmline.lab.errors import MongodNotFound, MongodUnusable

# What the server from the wheel needs beyond the C library, by the package that brings it on Debian and Ubuntu.
PACKAGE_OF_LIBRARY = {
    "libcurl.so.4": "libcurl4",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
}

VERSION_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class MongodBinary:
    """
    A MongoDB server that runs on this machine.
    """

    path: Path
    version: str


def find_mongod(explicit: str | Path | None = None) -> MongodBinary:
    """
    Find a server: the one asked for, else WARMLINE_MONGOD's, the lab extra's wheel, `mongod` on PATH.

    Raises `MongodNotFound` if there is none, `MongodUnusable` if it does not run.
    """
    path = _runnable(_locate(explicit).absolute())
    return MongodBinary(path, _version(path))


def _locate(explicit: str | Path | None) -> Path:
    for source, named in (("--mongod", explicit), ("WARMLINE_MONGOD", os.environ.get("WARMLINE_MONGOD"))):
        if named:
            path = Path(named).expanduser()
            if not path.is_file():
                msg = f"no mongod at {path.absolute()}: {source} must be the path of a MongoDB server"
                raise MongodNotFound(msg)
            return path

    # The namespace package is found without importing it: the FiftyOne application, if installed, takes seconds.
    wheel = importlib.util.find_spec("fiftyone")
    for directory in (wheel.submodule_search_locations or ()) if wheel else ():
        path = Path(directory, "db", "bin", "mongod")
        if path.is_file():
            return path

    on_path = shutil.which("mongod")
    if on_path:
        return Path(on_path)

    msg = (
        f"no mongod found for {sys.platform} {platform.machine()}: pip install 'warmline[lab]' brings one"
        " on Linux x86-64; elsewhere install MongoDB and have it on PATH, or name it by --mongod PATH"
        " or WARMLINE_MONGOD=PATH"
    )
    raise MongodNotFound(msg)


def _runnable(path: Path) -> Path:
    """
    Return the server with its run bit set, which wheels lose: in place if we may, else on a copy of our own.
    """
    if os.access(path, os.X_OK):
        return path
    run_bits = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
    try:
        path.chmod(path.stat().st_mode | run_bits)
    except OSError:
        return _runnable_copy(path)
    return path


def _runnable_copy(path: Path) -> Path:
    original = path.stat()
    cache = cache_folder()
    # Named by what tells one server from the next, so that it is copied once.
    copy = cache / f"mongod-{original.st_size}-{original.st_mtime_ns}"
    if not copy.exists():
        unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
        try:
            cache.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, unfinished)
            unfinished.chmod(0o755)
            unfinished.replace(copy)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            msg = f"{path} is not executable and cannot be copied to {cache} ({error.strerror}): run chmod +x {path}"
            raise MongodUnusable(msg) from error
    return copy


def _version(path: Path) -> str:
    try:
        run = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=VERSION_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or f"no answer in {VERSION_TIMEOUT_SECONDS} s"
        msg = f"{path} does not run ({reason}): name another server by --mongod PATH or WARMLINE_MONGOD=PATH"
        raise MongodUnusable(msg) from error

    if missing := re.search(r"error while loading shared libraries: ([^:\s]+)", run.stderr):
        library = missing[1]
        if package := PACKAGE_OF_LIBRARY.get(library):
            remedy = f"apt-get install {package} (or your system's package of it)"
        else:
            remedy = "install the package of your system that holds it"
        msg = f"{path} needs the shared library {library}, which is not installed: {remedy}"
        raise MongodUnusable(msg)

    version = re.search(r"^db version v(\S+)", run.stdout, re.MULTILINE)
    if run.returncode != 0 or version is None:
        said = (run.stderr.strip() or run.stdout.strip() or "nothing").splitlines()[-1]
        msg = (
            f"{path} is no MongoDB server that runs here: --version ended with status {run.returncode} and said"
            f" {said!r}; name another one by --mongod PATH or WARMLINE_MONGOD=PATH"
        )
        raise MongodUnusable(msg)
    return version[1]
