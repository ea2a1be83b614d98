from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from warmline.lab.cluster import MongodBinary, find_mongod
from warmline.lab.errors import MongodNotFound, MongodUnusable

if TYPE_CHECKING:
    from collections.abc import Callable

SAYS_ITS_VERSION = "echo 'db version v{}'"


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., Path]:
    """
    Write a program that stands where a server is looked for.
    """

    def write(text: str, *, name: str = "mongod", mode: int = 0o755) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(mode)
        return path

    return write


def test_the_server_of_this_machine_is_found_and_tells_its_version(binary: MongodBinary) -> None:
    said = subprocess.run([binary.path, "--version"], capture_output=True, text=True, check=True).stdout

    assert binary.path.is_absolute()
    assert said.startswith(f"db version v{binary.version}\n")


def test_the_explicit_path_comes_before_the_variable_and_that_before_the_rest(
    script: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    explicit = script(SAYS_ITS_VERSION.format("1.0.0"), name="explicit")
    variable = script(SAYS_ITS_VERSION.format("2.0.0"), name="variable")
    on_path = script(SAYS_ITS_VERSION.format("4.0.0"), name="bin/mongod")
    monkeypatch.setenv("PATH", str(on_path.parent), prepend=os.pathsep)

    monkeypatch.setenv("WARMLINE_MONGOD", str(variable))
    assert find_mongod(explicit) == MongodBinary(explicit, "1.0.0")
    assert find_mongod() == MongodBinary(variable, "2.0.0")


def test_the_wheel_comes_before_the_path(script: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    in_wheel = script(SAYS_ITS_VERSION.format("3.0.0"), name="site/fiftyone/db/bin/mongod")
    on_path = script(SAYS_ITS_VERSION.format("4.0.0"), name="bin/mongod")
    monkeypatch.delenv("WARMLINE_MONGOD", raising=False)
    monkeypatch.setenv("PATH", str(on_path.parent), prepend=os.pathsep)

    monkeypatch.setattr("sys.path", [str(in_wheel.parents[3])])
    assert find_mongod() == MongodBinary(in_wheel, "3.0.0")

    monkeypatch.setattr("sys.path", [])
    assert find_mongod() == MongodBinary(on_path, "4.0.0")


def test_without_any_server_the_error_names_the_platform_and_every_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WARMLINE_MONGOD", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.path", [])
    monkeypatch.setattr("sys.platform", "plan9")
    monkeypatch.setattr("platform.machine", lambda: "mips")

    with pytest.raises(MongodNotFound) as raised:
        find_mongod()

    for part in ("plan9 mips", "pip install 'warmline[lab]'", "--mongod PATH", "WARMLINE_MONGOD=PATH"):
        assert part in str(raised.value)


def test_a_named_path_that_does_not_exist_is_no_reason_to_take_another_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing"

    with pytest.raises(MongodNotFound, match=f"no mongod at {missing}: --mongod must be"):
        find_mongod(missing)

    monkeypatch.setenv("WARMLINE_MONGOD", str(missing))
    with pytest.raises(MongodNotFound, match=f"no mongod at {missing}: WARMLINE_MONGOD must be"):
        find_mongod()


def test_a_missing_run_bit_is_set(script: Callable[..., Path]) -> None:
    path = script(SAYS_ITS_VERSION.format("1.0.0"), mode=0o644)

    assert find_mongod(path) == MongodBinary(path, "1.0.0")
    assert os.access(path, os.X_OK)


def test_a_missing_run_bit_that_may_not_be_set_leads_to_a_copy_made_once(
    script: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script(SAYS_ITS_VERSION.format("1.0.0"), mode=0o644)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    forbid_chmod(path, monkeypatch)

    found = find_mongod(path)
    assert found.version == "1.0.0"
    assert found.path.parent == tmp_path / "cache" / "warmline"
    assert not os.access(path, os.X_OK)

    monkeypatch.setattr(shutil, "copyfile", None)
    assert find_mongod(path) == found


def test_a_missing_run_bit_that_cannot_be_helped_is_an_error(
    script: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script("", mode=0o644)
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    forbid_chmod(path, monkeypatch)

    with pytest.raises(MongodUnusable, match=f"cannot be copied to /dev/null/warmline .*: run chmod \\+x {path}"):
        find_mongod(path)


def forbid_chmod(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Make the file another user's, so to speak; the tests may run as root, to whom the system forbids nothing.
    """
    chmod = Path.chmod

    def refuse(self: Path, mode: int, *, follow_symlinks: bool = True) -> None:
        if self == path:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(path))
        chmod(self, mode, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "chmod", refuse)


LOADER_SAYS = (
    "echo '{path}: error while loading shared libraries: {library}: cannot open shared object file:"
    " No such file or directory' >&2; exit 127"
)


@pytest.mark.parametrize(
    ("library", "remedy"),
    [
        ("libcurl.so.4", "apt-get install libcurl4 "),
        ("libssl.so.3", "apt-get install libssl3 "),
        ("libcrypto.so.3", "apt-get install libssl3 "),
        ("libfancy.so.7", "install the package of your system that holds it"),
    ],
)
def test_a_missing_shared_library_is_named_with_its_package(
    script: Callable[..., Path], library: str, remedy: str
) -> None:
    path = script(LOADER_SAYS.format(path="mongod", library=library))

    with pytest.raises(MongodUnusable) as raised:
        find_mongod(path)

    assert f"{path} needs the shared library {library}, which is not installed: {remedy}" in str(raised.value)


def test_a_program_that_is_no_server_is_refused_with_what_it_said(script: Callable[..., Path]) -> None:
    with pytest.raises(MongodUnusable, match=r"status 0 and said 'mongosh 2\.3'"):
        find_mongod(script("echo 'mongosh 2.3'"))

    with pytest.raises(MongodUnusable, match="status 3 and said 'nothing'"):
        find_mongod(script("exit 3"))


def test_a_file_the_system_cannot_run_is_refused_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "mongod"
    path.write_bytes(b"\x7fELF of another machine")
    path.chmod(0o755)

    with pytest.raises(MongodUnusable, match=r"does not run \(Exec format error\)"):
        find_mongod(path)
