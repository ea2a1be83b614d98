from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from warmline.lab.names import resolve
from warmline.lab.names.resolve import Resolver, choose_resolver, mount_namespace, python_hook

from .parts import BASE, NOBODY, Child, Server


def test_root_gets_a_mount_namespace_and_is_told_so(namespace: Child, server: Server) -> None:
    assert namespace.resolver.explanation == (
        f"children see a resolv.conf of their own that names the lab's DNS server at {server.address[0]}"
    )


def test_another_user_gets_the_hook_and_the_reason(server: Server, tmp_path: Path) -> None:
    program = f"""
import os, pathlib
from warmline.lab.names.resolve import choose_resolver
os.geteuid() or os.setuid({NOBODY})
resolver = choose_resolver({server.address!r}, directory=pathlib.Path({str(tmp_path / "names")!r}))
print(resolver.name, resolver.explanation, sep="\\n")
"""
    printed = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True, env=BASE)

    assert printed.stdout.splitlines() == [
        "python-hook",
        "only Python programs know the lab's names, through a sitecustomize hook: "
        "a mount namespace of its own needs root",
    ]
    assert not (tmp_path / "names").exists()


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nothing is in the way as far as one can tell without trying.
    """
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_a_server_on_another_port_can_only_be_asked_by_the_hook(root: None, tmp_path: Path) -> None:
    resolver = choose_resolver(("127.0.0.1", 5353), directory=tmp_path)

    assert resolver.name == "python-hook"
    assert resolver.explanation.endswith("not on port 53, the only one that resolv.conf can name")
    assert resolver.variables == {"WARMLINE_NAMES": "lab.mongodb.test@127.0.0.1:5353"}


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("nscd", "", "asks nscd here"),
        ("nsswitch", "passwd: files\nhosts:  files resolve [!UNAVAIL=return] dns\n", "asks systemd-resolved here"),
        ("nsswitch", "passwd: files resolve\nhosts: files dns\n", None),
    ],
)
def test_a_c_library_that_asks_somebody_else_needs_the_hook(
    root: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str, text: str, reason: str | None
) -> None:
    monkeypatch.setattr(resolve, "_NSCD", tmp_path / "nscd")
    monkeypatch.setattr(resolve, "_NSSWITCH", tmp_path / "nsswitch")
    (tmp_path / file).write_text(text)
    # The trial is not what this is about.
    monkeypatch.setattr(resolve, "_refusal", lambda _: None)

    resolver = choose_resolver(("127.53.0.1", 53), directory=tmp_path)

    assert (resolver.name == "mount-namespace") == (reason is None)
    assert (reason or "") in resolver.explanation


def test_a_refused_mount_namespace_gives_the_kernels_word(server: Server) -> None:
    # As root in a container: it is root by its number only.
    program = """
import os, pathlib, tempfile
from warmline.lab.names.resolve import choose_resolver
os.geteuid = lambda: 0
with tempfile.TemporaryDirectory() as directory:
    resolver = choose_resolver(("127.53.0.1", 53), directory=pathlib.Path(directory))
print(resolver.name, resolver.explanation, sep="\\n")
"""
    user = NOBODY if os.geteuid() == 0 else None
    name, explanation = Child(python_hook(server.address, reason="a test"), user).execute(program).splitlines()

    assert name == "python-hook"
    assert explanation.endswith("refused: PermissionError: [Errno 1] Operation not permitted: 'unshare'")


def test_a_trial_that_is_killed_is_a_refusal_too(root: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(resolve, "_obstacle", lambda _: None)
    # As a container's seccomp profile may do it.
    kill = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
    monkeypatch.setattr(Resolver, "command", lambda *_: kill)

    resolver = choose_resolver(("127.53.0.1", 53), directory=tmp_path)

    assert resolver.name == "python-hook"
    assert resolver.explanation.endswith("refused: the trial ended with status -9")


def test_the_files_name_the_server_and_the_machines_own_localhost(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = tmp_path / "hosts"
    machine.write_text("# localhost\n127.0.0.1 localhost vm\n127.0.0.1 vm # localhost\n::1 ip6-localhost localhost\n\n")
    monkeypatch.setattr(resolve, "_HOSTS", machine)
    umask = os.umask(0o077)
    try:
        mount_namespace(("127.53.0.1", 53), tmp_path / "names")
    finally:
        os.umask(umask)

    resolv_conf, hosts = tmp_path / "names" / "resolv.conf", tmp_path / "names" / "hosts"
    assert resolv_conf.read_text() == "nameserver 127.53.0.1\n"
    assert hosts.read_text() == "127.0.0.1 localhost vm\n::1 ip6-localhost localhost\n"
    # A child that gives up root reads them still.
    assert {stat.S_IMODE(file.stat().st_mode) for file in (resolv_conf, hosts)} == {0o644}


def test_localhost_is_known_where_the_machine_has_no_hosts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(resolve, "_HOSTS", tmp_path / "none")
    mount_namespace(("127.53.0.1", 53), tmp_path)

    assert (tmp_path / "hosts").read_text() == "127.0.0.1 localhost\n"


def test_the_hook_goes_in_front_of_a_python_path() -> None:
    resolver = python_hook(("127.0.0.1", 5353), reason="a test", domain="shop.example.test")
    hook = str(Path(resolve.__file__).with_name("hook"))

    assert resolver.environ({"PYTHONPATH": "/layers", "A": "b"}) == {
        "A": "b",
        "PYTHONPATH": f"{hook}:/layers",
        "WARMLINE_NAMES": "shop.example.test@127.0.0.1:5353",
    }
    assert resolver.environ({})["PYTHONPATH"] == hook
    assert resolver.command(["node", "index.js"]) == ["node", "index.js"]


def test_a_mount_namespace_needs_the_hook_only_for_an_egress_address(tmp_path: Path) -> None:
    resolver = mount_namespace(("127.53.0.1", 53), tmp_path)

    assert resolver.environ({}) == {"WARMLINE_NAMESPACE": str(tmp_path)}
    assert resolver.environ({}, egress="127.47.0.1").keys() == {"WARMLINE_NAMESPACE", "WARMLINE_EGRESS", "PYTHONPATH"}
