"""
How a child process comes to ask the lab's DNS server: a mount namespace of its own, or a hook inside Python.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .child import NAMESPACE_VARIABLE
from .hook.warmline_hook import EGRESS_VARIABLE, NAMES_VARIABLE
from .zone import LAB_DOMAIN

_HERE = Path(__file__).parent
# Has the sitecustomize, and the package that it activates.
HOOK = _HERE / "hook"

# The only port that resolv.conf knows.
_DNS_PORT = 53

_HOSTS = Path("/etc/hosts")
_NSCD = Path("/run/nscd/socket")
_NSSWITCH = Path("/etc/nsswitch.conf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """
    One way; a child gets it through its environment variables, and a program through the front of its command line too.

    A child that is forked calls `child.enter` with these variables, before it execs a program or runs a handler. A
    program that is started otherwise needs `environ` and `command`.

    :param explanation: one line for people: what it does, or why it is not the other one
    """

    name: str
    explanation: str
    variables: Mapping[str, str]
    prefix: tuple[str, ...] = ()

    def environ(self, environ: Mapping[str, str], *, egress: str | None = None) -> dict[str, str]:
        """
        Return a child's variables with ours added.

        :param egress: the address that the TCP connections of a Python program to loopback come from
        """
        added = {**self.variables, **({EGRESS_VARIABLE: egress} if egress else {})}
        if added.keys() & {NAMES_VARIABLE, EGRESS_VARIABLE}:
            added["PYTHONPATH"] = os.pathsep.join(filter(None, (str(HOOK), environ.get("PYTHONPATH"))))
        return {**environ, **added}

    def command(self, argv: Sequence[str]) -> list[str]:
        """
        Return the command line that starts a program with the lab's names.
        """
        return [*self.prefix, *argv]


def mount_namespace(address: tuple[str, int], directory: Path) -> Resolver:
    """
    Return the way for root: a program in whatever language sees an /etc/resolv.conf and an /etc/hosts of the lab.

    :param address: the server's; its port must be 53
    :param directory: where the two files are made; the children's mounts need it until they end
    """
    directory.mkdir(exist_ok=True)
    machine = _HOSTS.read_text().splitlines() if _HOSTS.exists() else []
    local = [line for line in machine if "localhost" in line.partition("#")[0].split()[1:]]
    contents = {"resolv.conf": [f"nameserver {address[0]}"], "hosts": local or ["127.0.0.1 localhost"]}
    for name, lines in contents.items():
        file = directory / name
        file.write_text("".join(f"{line}\n" for line in lines))
        # Whatever the umask: the child may give up root later.
        file.chmod(0o644)
    return Resolver(
        name="mount-namespace",
        explanation=f"children see a resolv.conf of their own that names the lab's DNS server at {address[0]}",
        variables={NAMESPACE_VARIABLE: str(directory)},
        prefix=(sys.executable, "-I", "-S", str(_HERE / "namespace.py"), str(directory)),
    )


def python_hook(address: tuple[str, int], *, reason: str, domain: str = LAB_DOMAIN) -> Resolver:
    """
    Return the way without root: Python programs ask the server for the domain's names; others do not know them.

    :param reason: why it is not a mount namespace
    """
    host, port = address
    return Resolver(
        name="python-hook",
        explanation=f"only Python programs know the lab's names, through a sitecustomize hook: {reason}",
        variables={NAMES_VARIABLE: f"{domain}@{host}:{port}"},
    )


def choose_resolver(address: tuple[str, int], *, directory: Path, domain: str = LAB_DOMAIN) -> Resolver:
    """
    Return a mount namespace where this process may have one and the C library heeds it, and else the hook.
    """
    reason = _obstacle(address)
    if reason is None:
        resolver = mount_namespace(address, directory)
        reason = _refusal(resolver)
        if reason is None:
            return resolver
    return python_hook(address, reason=reason, domain=domain)


def _obstacle(address: tuple[str, int]) -> str | None:
    """
    Say what is in the way of a mount namespace, as far as one can tell without trying.
    """
    if os.geteuid() != 0:
        return "a mount namespace of its own needs root"
    if address[1] != _DNS_PORT:
        return f"the DNS server is not on port {_DNS_PORT}, the only one that resolv.conf can name"
    if _NSCD.exists():
        return "the C library asks nscd here, which does not see what a child sees"
    if _NSSWITCH.exists() and re.search(r"^hosts:.*\bresolve\b", _NSSWITCH.read_text(), re.MULTILINE):
        return "the C library asks systemd-resolved here, not what resolv.conf names"
    return None


def _refusal(resolver: Resolver) -> str | None:
    """
    Try the mount namespace and say why it does not work; a container's root often may not.
    """
    trial = subprocess.run(resolver.command(["true"]), capture_output=True, text=True, check=False)
    if trial.returncode == 0:
        return None
    # A container may also kill whoever tries, and then there is no text.
    last = (trial.stderr.strip().splitlines() or [f"the trial ended with status {trial.returncode}"])[-1]
    return f"a mount namespace of its own is refused: {last}"
