"""
What the tests of this folder share: a zone, a server in a thread, and child processes.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.resolver
import pytest

import warmline
from warmline.lab.names.answers import Behaviour, Failure
from warmline.lab.names.resolve import Resolver
from warmline.lab.names.server import NameServer
from warmline.lab.names.zone import REPLICA_SET_OPTIONS, Member, Zone, cluster_zone

CLUSTER = "cluster0.lab.mongodb.test"
SRV = f"_mongodb._tcp.{CLUSTER}"
HOST = "cluster0-shard-00-00.lab.mongodb.test"

NOBODY = 65534


def zone_of(count: int, *, txt: str | None = REPLICA_SET_OPTIONS) -> Zone:
    members = [
        Member(f"cluster0-shard-00-{number:02}.lab.mongodb.test", 27017 + number, f"127.0.2.{number + 1}")
        for number in range(count)
    ]
    return cluster_zone(members=members, txt=txt)


def damaged(wire: bytes, chance: random.Random) -> bytes:
    """
    Return a message with a few wrong bytes, and often without its end.
    """
    result = bytearray(wire)
    for _ in range(chance.randrange(1, 4)):
        result[chance.randrange(len(result))] = chance.randrange(256)
    return bytes(result[: chance.randrange(2 * len(result))])


class Server:
    """
    A name server whose loop runs in another thread, with what the tests ask of it.
    """

    def __init__(self, zone: Zone) -> None:
        self.names = NameServer(zone)
        # What the loop had to catch: a defect, whatever the client has sent.
        self.mishaps: list[str] = []

    def __enter__(self) -> Server:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda _, context: self.mishaps.append(str(context)))
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.names.start(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.names.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        assert self.mishaps == []

    @property
    def address(self) -> tuple[str, int]:
        return self.names.address

    def behave(self, *, zone: Zone | None = None, failure: Failure = Failure.NONE, delay_seconds: float = 0.0) -> None:
        self.names.behaviour = Behaviour(zone or self.names.behaviour.zone, failure, delay_seconds)

    def udp(self, name: str, kind: str, *, timeout: float = 10, payload: int | None = None) -> dns.message.Message:
        host, port = self.address
        return dns.query.udp(dns.message.make_query(name, kind, payload=payload), host, timeout=timeout, port=port)

    def tcp(self, name: str, kind: str, *, timeout: float = 10) -> dns.message.Message:
        host, port = self.address
        return dns.query.tcp(dns.message.make_query(name, kind), host, timeout=timeout, port=port)

    def resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = [self.address[0]], self.address[1]
        return resolver


@dataclass(frozen=True, slots=True)
class Child:
    """
    How a child process is started: with which resolver, and as which user if not as this one.
    """

    resolver: Resolver
    user: int | None = None

    def execute(self, program: str, *, egress: str | None = None, environ: Mapping[str, str] | None = None) -> str:
        """
        Run a Python program as a new process and return what it prints.
        """
        command = self.resolver.command([interpreter(self.user), "-c", program])
        return self._run(command, self.resolver.environ({**BASE, **(environ or {})}, egress=egress))

    def fork(self, program: str, *, preload: str = "", exec_after: bool = False, egress: str | None = None) -> str:
        """
        Do the same as the lab's spawner does: in a fork of a process that was started without the lab's names.

        :param preload: modules that the process has imported before it forks
        """
        environ = json.dumps(self.resolver.environ(BASE, egress=egress))
        arguments = [environ, program, preload, "exec" if exec_after else ""]
        return self._run([interpreter(self.user), "-P", "-c", _FORK, *arguments], BASE)

    def _run(self, command: Sequence[str], environ: Mapping[str, str]) -> str:
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environ, **as_user(self.user))
        printed: bytes = done.stdout
        return printed.decode()


def as_user(user: int | None) -> Any:
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


@cache
def interpreter(user: int | None) -> str:
    """
    Return a Python that the user may run; root's own one is often in a folder that is closed to others.
    """
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            program = "import sys; assert sys.version_info >= (3, 11); import warmline, dns.resolver"
            subprocess.run([python, "-c", program], check=True, env=BASE, **as_user(user))
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    pytest.skip(f"user {user} may run no Python here that finds warmline and dnspython")


# The libraries by their folder: another interpreter than ours has none of its own.
BASE = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": os.pathsep.join(str(Path(file).parents[1]) for file in (warmline.__file__, dns.message.__file__)),
}

# Forks as the lab's spawner does.
_FORK = """
import json, os, sys
from warmline.lab.names.child import enter
environ, program, preload, exec_after = sys.argv[1:]
for name in preload.split():
    __import__(name)
pid = os.fork()
if pid == 0:
    try:
        environ = json.loads(environ)
        enter(environ)
        if exec_after:
            os.execve(sys.executable, [sys.executable, "-c", program], environ)
        os.environ.clear()
        os.environ.update(environ)
        exec(program)
        sys.stdout.flush()
        os._exit(0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
