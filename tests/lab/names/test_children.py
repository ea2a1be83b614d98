"""
Each way, in real child processes: as a new program, as a fork, and as a program after a fork.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from warmline.lab.names.answers import Failure
from warmline.lab.names.zone import SHARDED_OPTIONS

from .parts import BASE, CLUSTER, HOST, NOBODY, SRV, Child, Server, interpreter, zone_of

# What a program learns, by all the ways that Python has.
LOOKS = f"""
import asyncio, json, socket

def addresses(name):
    try:
        return sorted({{entry[4][0] for entry in socket.getaddrinfo(name, 27017, socket.AF_INET)}})
    except socket.gaierror as error:
        return error.errno

async def addresses_async():
    entries = await asyncio.get_running_loop().getaddrinfo({HOST!r}, 27017, type=socket.SOCK_STREAM)
    return [entry[4] for entry in entries]

import dns.asyncresolver, dns.resolver

print(json.dumps({{
    "getaddrinfo": addresses({HOST!r}),
    "in capitals": addresses({HOST.upper()!r} + "."),
    "as bytes": addresses({HOST!r}.encode()),
    "no such name": addresses("no.lab.mongodb.test"),
    "no address": addresses({CLUSTER!r}),
    "localhost": addresses("localhost"),
    "asyncio": asyncio.run(addresses_async()),
    "dnspython": [record.address for record in dns.resolver.resolve({HOST!r}, "A")],
    "dnspython, async": [str(record) for record in asyncio.run(dns.asyncresolver.resolve({CLUSTER!r}, "TXT"))],
}}))
"""
LEARNT = {
    "getaddrinfo": ["127.0.2.1"],
    "in capitals": ["127.0.2.1"],
    "as bytes": ["127.0.2.1"],
    "no such name": socket.EAI_NONAME,
    "no address": socket.EAI_NODATA,
    "localhost": ["127.0.0.1"],
    "asyncio": [["127.0.2.1", 27017]],
    "dnspython": ["127.0.2.1"],
    "dnspython, async": ['"authSource=admin&replicaSet=warmline"'],
}


def test_a_program_learns_the_names(child: Child) -> None:
    assert json.loads(child.execute(LOOKS)) == LEARNT


def test_a_file_that_is_no_program_is_told_in_one_line(namespace: Child, tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("not a program")
    file.chmod(0o755)
    done = subprocess.run(namespace.resolver.command([str(file)]), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, f"warmline: can't run {file}: Exec format error\n")


@pytest.mark.parametrize("preload", ["", "asyncio dns.resolver dns.asyncresolver pymongo"])
def test_a_fork_learns_the_names_whatever_was_imported_before_it(child: Child, preload: str) -> None:
    assert json.loads(child.fork(LOOKS, preload=preload)) == LEARNT


def test_a_program_after_a_fork_learns_the_names(child: Child) -> None:
    assert json.loads(child.fork(LOOKS, exec_after=True)) == LEARNT


def test_the_process_that_forks_gets_no_dnspython_for_it() -> None:
    program = """
import sys
import warmline.lab
before = set(sys.modules)
import warmline.lab.names.child
added = {name.partition(".")[0] for name in set(sys.modules) - before}
print(added - sys.stdlib_module_names, "dns" in sys.modules)
"""
    printed = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True, env=BASE)
    assert printed.stdout == "{'warmline'} False\n"


def test_a_fork_without_a_resolver_is_left_as_it_is() -> None:
    program = """
import sys
from warmline.lab.names.child import enter
before = sys.meta_path[:]
enter({})
assert sys.meta_path == before
import socket
print(socket.getaddrinfo.__module__)
"""
    printed = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True, env=BASE)
    assert printed.stdout == "socket\n"


SEEDS = f"""
from pymongo import MongoClient
with MongoClient("mongodb+srv://{CLUSTER}/", serverSelectionTimeoutMS=100) as client:
    seeds = client.topology_description.server_descriptions()
    print(*sorted(seeds), client.topology_description.replica_set_name, client.options._options.get("authSource"))
"""


def test_pymongo_learns_the_seeds_and_the_options(child: Child) -> None:
    seeds = " ".join(str((f"cluster0-shard-00-{number:02}.lab.mongodb.test", 27017 + number)) for number in range(3))
    expected = f"{seeds} warmline admin\n"

    assert child.execute(SEEDS) == expected
    assert child.fork(SEEDS, preload="warmline") == expected


def test_pymongo_asks_again_over_tcp_for_thirty_hosts(server: Server, child: Child) -> None:
    server.behave(zone=zone_of(30, txt=SHARDED_OPTIONS))
    program = f"""
from pymongo.uri_parser import parse_uri
for option in ("", "?srvMaxHosts=3"):
    print(len(parse_uri("mongodb+srv://{CLUSTER}/" + option)["nodelist"]))
"""
    assert child.execute(program) == "30\n3\n"
    asked = [query.transport for query in server.names.queries if query.name == SRV]
    assert asked == ["udp", "tcp"] * 2


def test_pymongo_refuses_fewer_hosts_of_a_replica_set(child: Child) -> None:
    program = f"""
from pymongo.errors import ConfigurationError
from pymongo.uri_parser import parse_uri
try:
    parse_uri("mongodb+srv://{CLUSTER}/?srvMaxHosts=3")
except ConfigurationError as error:
    print(error)
"""
    assert child.execute(program) == "You cannot specify replicaSet with srvMaxHosts\n"


@pytest.mark.parametrize("failure", [Failure.SERVFAIL, Failure.REFUSED])
def test_a_failing_server_is_a_temporary_failure(server: Server, child: Child, failure: Failure) -> None:
    server.behave(failure=failure)
    program = f"""
import socket
try:
    socket.getaddrinfo({HOST!r}, 1)
except socket.gaierror as error:
    print(error)
"""
    text = f"[Errno {socket.EAI_AGAIN}] Temporary failure in name resolution\n"
    assert child.execute(program) == text


def test_the_hook_leaves_other_names_to_the_machine(server: Server, hook: Child) -> None:
    program = """
import socket
import dns.exception, dns.resolver
for look_up in (
    lambda: socket.getaddrinfo("localhost", 1),
    lambda: socket.getaddrinfo("mylab.mongodb.test.localhost", 1, flags=socket.AI_NUMERICHOST),
    lambda: socket.getaddrinfo(None, 1),
    lambda: dns.resolver.resolve("lab.mongodb.test.invalid", "A", lifetime=0.2),
    lambda: dns.resolver.resolve("mylab.mongodb.test", "A", lifetime=0.2),
):
    try:
        look_up()
    except (OSError, dns.exception.DNSException):
        pass
"""
    hook.execute(program)

    assert server.names.queries == ()


def test_a_mount_namespace_works_for_programs_in_any_language(namespace: Child) -> None:
    command = namespace.resolver.command(["getent", "ahostsv4", HOST])
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=BASE).stdout

    assert printed.startswith("127.0.2.1 ")


def test_a_mount_namespace_holds_after_root_is_given_up(namespace: Child) -> None:
    python = interpreter(NOBODY)
    program = f"import os; os.setuid({NOBODY}); os.execve({python!r}, [{python!r}, '-c', {LOOKS!r}], os.environ)"

    assert json.loads(namespace.fork(program)) == LEARNT


def test_the_machine_sees_nothing_of_a_mount_namespace(namespace: Child) -> None:
    def machine() -> list[bytes]:
        return [Path(name).read_bytes() for name in ("/etc/resolv.conf", "/etc/hosts", "/proc/self/mounts")]

    before = machine()
    program = "print(open('/etc/resolv.conf').read(), open('/etc/hosts').read(), flush=True); input()"
    command = namespace.resolver.command([sys.executable, "-c", program])
    with subprocess.Popen(command, env=BASE, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline().startswith(b"nameserver 127.53.")
        during = machine()
        inside = Path(f"/proc/{process.pid}/mounts").read_bytes()
        process.communicate(b"\n")
    assert (during, machine()) == (before, before)
    assert b"/etc/resolv.conf" in inside
    assert b"/etc/hosts" in inside


def test_the_process_that_forks_sees_nothing_of_its_childrens_mount_namespaces(namespace: Child) -> None:
    program = """
import json, os
print(json.dumps([
    [line.split()[1] for line in open(f"/proc/{pid}/mounts") if line.split()[1] in ("/etc/resolv.conf", "/etc/hosts")]
    for pid in (os.getpid(), os.getppid())
]))
"""
    before = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    own, parents = json.loads(namespace.fork(program))

    assert parents == [target for target in before if target in {"/etc/resolv.conf", "/etc/hosts"}]
    assert sorted(own) == sorted([*parents, "/etc/resolv.conf", "/etc/hosts"])
