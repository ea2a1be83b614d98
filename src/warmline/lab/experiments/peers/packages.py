"""
The public packages that are compared: installed when they are needed, at exact versions, into a folder of their own.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ...cache import cache_folder
from ...errors import PackagesUnavailable

# What `pip install` of the two takes today, but PyMongo and dnspython, which are the lab's own for all variants. With
# their hashes: this is others' code that runs here. (asyncio 4.0.0 is empty, and asked for by mdb-singleton.)
REQUIREMENTS = """\
actvalue.mongo-client==2.0.0 --hash=sha256:acf77861a39bff35264192321bab6ed3ea5d30ecb19ed5ee2ea6a5c65d074f7b
asyncio==4.0.0 --hash=sha256:c1eddb0659231837046809e68103969b2bef8b0400d59cfa6363f6b5ed8cc88b
mdb-singleton==0.1.1 --hash=sha256:7ed02dab19c05c4729453335855a902a9dc6bd5a19a5d5deb003996fa28282fc
motor==3.7.1 --hash=sha256:8a63b9049e38eeeb56b4fdd57c3312a6d1f25d01db717fe7d82222393c410298
python-dotenv==1.2.4 --hash=sha256:42269a8a5b3fd54ffa6f3d84b18abed50064717576b4ecf03dc4a55d8aa04fdc
"""

PEERS = ("actvalue.mongo-client", "mdb-singleton")

# actvalue.mongo-client declares it.
NEEDS_PYTHON = (3, 13)

_INSTALL_SECONDS = 120


def versions() -> dict[str, str]:
    """
    The pinned version of each package.
    """
    return dict(line.split()[0].split("==") for line in REQUIREMENTS.splitlines())


def installed() -> Path:
    """
    Return the folder with the packages, which the first call installs from the user's package index.

    :raises PackagesUnavailable: that failed: no network, no pip.
    """
    folder = cache_folder() / f"peers-{hashlib.sha256(REQUIREMENTS.encode()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as directory:
            target = _install(Path(directory))
            # Another run may have been faster.
            if not folder.is_dir():
                target.rename(folder)
    except OSError as error:
        raise PackagesUnavailable(f"can't write to {folder.parent}: {error.strerror}; set XDG_CACHE_HOME") from error
    return folder


def make_code(directory: Path, handlers: Path, packages: Path) -> Path:
    """
    Make a function's folder: the handlers, and links to the packages beside them.
    """
    for handler in handlers.glob("*.py"):
        shutil.copy(handler, directory)
    for entry in packages.iterdir():
        (directory / entry.name).symlink_to(entry)
    return directory


def _install(directory: Path) -> Path:
    requirements, target = directory / "requirements.txt", directory / "packages"
    requirements.write_text(REQUIREMENTS)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    # Without dependencies: all are named. An older Python than one declares is tried, and the result says so.
    command += ["--no-deps", "--ignore-requires-python", "--only-binary", ":all:", "--require-hashes"]
    try:
        run = subprocess.run(
            [*command, "--requirement", str(requirements), "--target", str(target)],
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PackagesUnavailable(_message(f"pip took over {_INSTALL_SECONDS} s")) from None
    if run.returncode != 0:
        said = run.stderr.strip().splitlines() or ["pip gave no reason"]
        # pip's last line may be a notice.
        reason = next((line for line in reversed(said) if line.startswith("ERROR:")), said[-1])
        raise PackagesUnavailable(_message(reason))
    return target


def _message(reason: str) -> str:
    names = " and ".join(f"{name} {versions()[name]}" for name in PEERS)
    return f"can't install {names}, which this experiment compares ({reason}): it takes pip, and once a network"
