"""
One MongoDB server process.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from ..errors import ClusterStartError, PortTaken
from ..workspace import Workspace
from .binary import MongodBinary
from .tls import Certificates
from .users import User

LOOPBACK = "127.0.0.1"

START_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.01

# A server takes 80 % as many connections as it may open files. The soft limit is often 1,024: use all of the hard one.
WITH_ALL_FILES = ("/bin/sh", "-c", 'ulimit -S -n "$(ulimit -H -n)"; exec "$@"', "sh")


@dataclass(frozen=True)
class Node:
    """
    Where one member of the cluster is, and what the lab needs to connect to it.

    `ca` is there if it wants TLS, `monitoring` if it wants a login.
    """

    name: str
    host: str
    port: int
    log_path: Path
    ca: Path | None = None
    monitoring: User | None = None

    @property
    def address(self) -> str:
        """
        The `host:port` by which the members and the clients know it.
        """
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class ServerOptions:
    """
    What a server can have that a plain one does not.

    - `certificates`: it accepts TLS only, from clients without a certificate of their own, too
    - `key_file`: it wants a login; with the same file members know each other
    - `monitoring`: as whom the lab logs in to ask the server for its state
    - `max_connections`: it closes connections above this number, those of other members and the lab included
    """

    certificates: Certificates | None = None
    key_file: Path | None = None
    monitoring: User | None = None
    max_connections: int | None = None

    def flags(self) -> list[str]:
        """
        List them as the server's command line wants them.
        """
        flags = []
        if self.certificates:
            flags += ["--tlsMode", "requireTLS", "--tlsAllowConnectionsWithoutCertificates"]
            flags += ["--tlsCAFile", str(self.certificates.ca)]
            flags += ["--tlsCertificateKeyFile", str(self.certificates.server)]
        if self.key_file:
            flags += ["--keyFile", str(self.key_file)]
        if self.max_connections is not None:
            flags += ["--maxConns", str(self.max_connections)]
        return flags


PLAIN = ServerOptions()


def server_flags(node: Node, data: Path, replica_set: str, options: ServerOptions = PLAIN) -> list[str]:
    """
    List the options of a server that is small, quick to start and thrown away.
    """
    return [
        *("--dbpath", str(data)),
        *("--bind_ip", node.host),
        *("--port", str(node.port)),
        *("--replSet", replica_set),
        # The console's output goes to the same file: what is said before the log is open, and a crash's last words.
        *("--logpath", str(node.log_path)),
        "--logappend",
        # Its socket file would lie in /tmp, outside the workspace.
        "--nounixsocket",
        # The default is half of the memory, for each member.
        *("--wiredTigerCacheSizeGB", "0.25"),
        # The default is 5 % of the free disk.
        *("--oplogSize", "64"),
        # The default journal takes 300 MB of disk for each member; this one 30 MB.
        *("--wiredTigerEngineConfigString", "log=(file_max=10MB)"),
        # No background thread that samples the server every second while latencies are measured.
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        # The `failCommand` fail point, for experiments on errors.
        *("--setParameter", "enableTestCommands=1"),
        # SIGTERM would take 16 s: a primary first waits for its secondaries and its clients.
        *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
        *options.flags(),
    ]


class Mongod:
    """
    A server from its start to its end, with restarts in between; its data are thrown away when it is stopped.
    """

    def __init__(
        self,
        binary: MongodBinary,
        workspace: Workspace,
        *,
        name: str,
        port: int,
        replica_set: str,
        options: ServerOptions = PLAIN,
    ) -> None:
        ca = options.certificates.ca if options.certificates else None
        self.node = Node(name, LOOPBACK, port, workspace.logs / f"{name}.log", ca, options.monitoring)
        self._data = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=workspace.directory))
        self._command = [*WITH_ALL_FILES, str(binary.path), *server_flags(self.node, self._data, replica_set, options)]
        self._workspace = workspace
        try:
            self.start()
        except BaseException:
            # Nobody has this object yet, so nobody will call `stop`.
            shutil.rmtree(self._data, ignore_errors=True)
            raise

    def start(self) -> None:
        """
        Start the process, at first or again after `halt`; it listens a moment later.
        """
        with self.node.log_path.open("ab") as log:
            # An earlier server of this name may have written to the file.
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | self._workspace.environ(),
                cwd=self._workspace.directory,
                # Ctrl-C must not reach it before the lab has stopped using it.
                start_new_session=True,
            )

    def halt(self, number: signal.Signals) -> None:
        """
        End the process and keep its data: by SIGTERM in good order, by SIGKILL as in a crash.
        """
        self._process.send_signal(number)
        self._process.wait()

    @property
    def pid(self) -> int:
        """
        The process id.
        """
        return self._process.pid

    @property
    def address(self) -> str:
        """
        The `host:port` the server listens on.
        """
        return self.node.address

    @property
    def is_running(self) -> bool:
        """
        Whether the process has not ended; a stopped or frozen one runs in this sense.
        """
        return self._process.poll() is None

    def wait_until_listening(self) -> None:
        """
        Return once the server accepts connections; raise `ClusterStartError` if it ends or takes too long.
        """
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._is_listening():
            self.check_running()
            if time.monotonic() > deadline:
                msg = (
                    f"{self.node.name} did not listen on {self.address} within {START_TIMEOUT_SECONDS:.0f} s:"
                    f" is the machine overloaded? its log is {self.node.log_path}"
                )
                raise ClusterStartError(msg)
            time.sleep(POLL_SECONDS)

    def check_running(self, patience_seconds: float = 0.0) -> None:
        """
        Raise `ClusterStartError` with the server's own reason if it has ended, or does so within the given time.
        """
        try:
            status = self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            return
        reason = last_error(self.node.log_path, self._log_start)
        kind = PortTaken if "address already in use" in reason.lower() else ClusterStartError
        raise kind(
            f"{self.node.name} on {self.address} ended with status {status}: {reason}; its log is {self.node.log_path}"
        )

    def stop(self) -> None:
        """
        Kill the server, wait for its end and remove its data.

        The data are thrown away, so there is nothing an orderly shutdown would save.
        """
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._data, ignore_errors=True)

    def _is_listening(self) -> bool:
        """
        Ask the kernel: connecting would not tell this server from another program on the same port.
        """
        try:
            sockets = psutil.Process(self.pid).net_connections("tcp4")
        except psutil.Error:
            return False
        return any(one.status == psutil.CONN_LISTEN and one.laddr.port == self.node.port for one in sockets)


def last_error(log_path: Path, start: int = 0) -> str:
    """
    Find the last error in a server's log, else the last line that no log entry holds: a message to the console.
    """
    with log_path.open("rb") as log:
        log.seek(start)
        lines = log.read().decode(errors="replace").splitlines()
    console = ""
    for line in reversed(lines):
        if not line.startswith("{"):
            console = console or line.strip()
        # E is an error, F a fatal one. The one before says why it aborts.
        elif (entry := json.loads(line))["s"] in {"E", "F"} and "***aborting" not in entry["msg"]:
            return _in_words(entry)
    return console or "it logged no error"


def _in_words(entry: dict[str, Any]) -> str:
    error = entry.get("attr", {}).get("error")
    detail = error.get("errmsg") if isinstance(error, dict) else error
    return f"{entry['msg']}: {detail}" if detail else str(entry["msg"])
