"""
The folder on PYTHONPATH, as Python meets it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from warmline.lab.names import hook as hook_folder

from .parts import BASE, Child

HOOK = Path(hook_folder.__file__).parent

# What each program pays for: a change here is a change of the start-up time.
LOADED = {
    "__future__",
    "_frozen_importlib_external",
    "importlib",
    "importlib._bootstrap",
    "importlib._bootstrap_external",
    "importlib.machinery",
    "sitecustomize",
    "types",
    "warmline_hook",
    "warnings",
}


def test_it_loads_nothing_that_a_program_did_not_ask_for(hook: Child) -> None:
    program = "import sys; print(*sys.modules)"
    plain = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True, env=BASE)

    assert set(hook.execute(program).split()) - set(plain.stdout.split()) <= LOADED


def test_without_variables_the_folder_changes_nothing() -> None:
    environ = {**BASE, "PYTHONPATH": str(HOOK)}
    program = "import sys; print(len(sys.meta_path)); import socket; print(socket.getaddrinfo.__module__)"
    with_hook, without = (
        subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True, env=env).stdout
        for env in (environ, BASE)
    )
    assert with_hook == without


def test_the_programs_own_sitecustomize_is_run_too(hook: Child, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.mark = __file__")
    program = (
        "import sys, sitecustomize, socket; print(sys.mark, sitecustomize.__file__, socket.getaddrinfo.__module__)"
    )

    printed = hook.execute(program, environ={"PYTHONPATH": str(tmp_path)}).split()

    own = str(tmp_path / "sitecustomize.py")
    assert printed == [own, own, "warmline_hook.names"]


def test_a_sitecustomize_that_fails_is_not_hidden(hook: Child, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import missing_module")
    command = [sys.executable, "-c", "import socket; print(socket.getaddrinfo.__module__)"]
    environ = hook.resolver.environ({**BASE, "PYTHONPATH": str(tmp_path)})

    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environ)

    assert "No module named 'missing_module'" in done.stderr
    assert done.stdout == "warmline_hook.names\n"


def test_where_there_is_no_other_it_is_the_only_sitecustomize(hook: Child) -> None:
    # -S: this Python's own one, if it has one, is among what site finds.
    program = "import sys, sitecustomize; print(sitecustomize.__file__, sys.path[:1])"
    printed = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = [{str(HOOK)!r}, *sys.path]; {program}"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={},
    ).stdout

    assert printed == f"{HOOK / 'sitecustomize.py'} {[str(HOOK)]}\n"


def test_a_reloaded_module_is_changed_again(hook: Child) -> None:
    program = "import importlib, socket; importlib.reload(socket); print(socket.getaddrinfo.__module__)"

    assert hook.execute(program) == "warmline_hook.names\n"


def test_modules_keep_the_loaders_they_would_have_had(hook: Child) -> None:
    program = (
        "import inspect, json, socket; "
        "print(json.dumps([type(socket.__loader__).__name__, 'def getfqdn' in inspect.getsource(socket)]))"
    )
    assert json.loads(hook.execute(program)) == ["SourceFileLoader", True]


def test_what_is_no_name_is_refused_as_without_the_hook(hook: Child) -> None:
    program = """
import socket
for host in (7, "x" * 64 + ".lab.mongodb.test"):
    try:
        socket.getaddrinfo(host, 1)
    except (TypeError, UnicodeError) as error:
        print(type(error).__name__)
"""
    assert hook.execute(program) == "TypeError\nUnicodeError\n"


@pytest.mark.parametrize("program", ["import dns.resolver, dns.asyncresolver", "import socket"])
def test_it_works_where_the_machine_has_no_dns_settings(hook: Child, program: str) -> None:
    # What dnspython raises without a resolv.conf, as soon as it makes a resolver of its own.
    program += """
import dns.asyncresolver, dns.resolver
def refuse(*_):
    raise dns.resolver.NoResolverConfiguration
dns.resolver.BaseResolver.read_resolv_conf = refuse
print(dns.resolver.resolve("cluster0-shard-00-00.lab.mongodb.test", "A").rrset[0])
try:
    dns.resolver.resolve("www.example.org", "A")
except dns.resolver.NoResolverConfiguration:
    print("the machine has none")
"""
    assert hook.execute(program) == "127.0.2.1\nthe machine has none\n"
