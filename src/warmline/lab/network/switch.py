"""
The switch that environments' links are plugged into, and the one link from there to the lab's servers.

It has a namespace of its own, so that the machine sees a single new link of it. Nothing else is connected to it: an
environment reaches the lab's machine, and nobody from outside reaches an environment.
"""

from __future__ import annotations

import errno
import itertools
import os
import socket
import sys
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

from ..errors import NetworkUnavailable, UnusableNetwork
from ..workspace import Workspace
from .conditions import CLEAR, Network
from .impairment import differ, impair
from .inner import DEVICE, INDEX, LabEnd, lose_flows, set_up
from .namespace import inside, new_namespace, without_ipv6, write_setting
from .netlink import End, Netlink
from .numbers import free_block, lab_ports, own_ports

# Numbers of links in the switch's namespace.
_UPLINK, _BRIDGE, _FIRST_PORT = 10, 11, 12

# The kernel's bridge has 1,023 ports, but takes longer for each the more it has. And those of environments that have
# ended are taken a little longer.
PORTS = 256

_TRIAL_SECONDS = 2.0

_PORT_SECONDS = 10.0
_PORT_PAUSE_SECONDS = 0.0005

# A workspace may have more than one switch.
_numbers = itertools.count()


class Switch:
    """
    There until it is closed, and its links with it.

    - ``device``: what the machine sees of it

    :raises NetworkUnavailable: networks can't be had here, and why.
    """

    def __init__(self, workspace: Workspace) -> None:
        if not sys.platform.startswith("linux"):
            raise NetworkUnavailable("a network of its own for each environment needs Linux")
        if os.geteuid() != 0:
            raise NetworkUnavailable("a network of its own for each environment needs root")
        block = free_block()
        self._addresses = map(str, block.hosts())
        address = next(self._addresses)
        self.lab = LabEnd(address, block.prefixlen, _hardware(address), lab_ports(), own_ports())
        self._ports = itertools.count(_FIRST_PORT)
        self._plugged = 0
        self._lock = threading.Lock()
        # A name has at most fifteen characters.
        self.device = f"wl{workspace.token[:9]}-{next(_numbers) % 1000}"
        workspace.remove_link_at_end(self.device)
        with ExitStack() as stack:
            try:
                self._open(stack)
                self._try()
            except OSError as error:
                raise NetworkUnavailable(
                    f"a network of its own for each environment is refused here: {error}; it needs root with the "
                    "capabilities NET_ADMIN and SYS_ADMIN, which a container may not have"
                ) from error
            self._stack = stack.pop_all()

    def close(self) -> None:
        """
        Take it away, with all links.
        """
        self._stack.close()

    def plug(self) -> Link:
        """
        Make an environment's network; it takes a few milliseconds, and any thread may do it.

        :raises OSError: of the errno EXFULL, all ports are taken.
        """
        with ExitStack() as on_failure:
            self._count(1)
            on_failure.callback(self.unplug)
            namespace = new_namespace()
            on_failure.callback(os.close, namespace)
            port, address = next(self._ports), next(self._addresses)
            near, far = End(f"port{port}", port), End(DEVICE, INDEX, _hardware(address))
            self._switch.add_pair(near, far, namespace, bridge=_BRIDGE)
            self._machine.put_neighbour(self._index, address, far.hardware)
            listener = inside(namespace, lambda: set_up(address, self.lab))
            on_failure.callback(listener.close)
            self._await_port(port)
            on_failure.pop_all()
        return Link(self, namespace, port, address, listener)

    def pass_on(self, port: int, *, passes: bool) -> None:
        """
        Have a port let everything through, or nothing.
        """
        self._switch.set_port(port, passes=passes)

    def impair(self, port: int, network: Network) -> None:
        """
        Delay and lose what leaves by a port.
        """
        impair(self._namespace, f"port{port}", network)

    def unplug(self) -> None:
        """
        Hear that a link is closed.
        """
        self._count(-1)

    def another_address(self, hardware: bytes) -> str:
        """
        Take another address for the environment that has this hardware address.
        """
        address = next(self._addresses)
        self._machine.put_neighbour(self._index, address, hardware)
        return address

    def _count(self, more: int) -> None:
        with self._lock:
            if self._plugged + more > PORTS:
                raise OSError(errno.EXFULL, os.strerror(errno.EXFULL), self.device)
            self._plugged += more

    def _open(self, stack: ExitStack) -> None:
        self._machine = Netlink()
        stack.callback(self._machine.close)
        self._namespace = new_namespace()
        stack.callback(os.close, self._namespace)
        self._switch = inside(self._namespace, Netlink)
        stack.callback(self._switch.close)
        self._switch.add_bridge(End("bridge", _BRIDGE))
        # From this side, since only the nearer end's number can be chosen.
        uplink, device = End("uplink", _UPLINK), End(self.device, 0, self.lab.hardware)
        with Path("/proc/self/ns/net").open() as machine:
            self._switch.add_pair(uplink, device, machine.fileno(), bridge=_BRIDGE)
        self._index = socket.if_nametoindex(self.device)
        stack.callback(self._machine.delete_link, self._index)
        without_ipv6(self.device)
        self._machine.set_up(self._index)
        self._await_port(_UPLINK)
        # Servers that listen on loopback alone are reached by this link, and by no other.
        write_setting(f"ipv4/conf/{self.device}/route_localnet", "1")
        self._machine.add_address(self._index, self.lab.address, self.lab.bits)

    def _await_port(self, port: int) -> None:
        """
        Wait until a port has noticed that its far end is up: till then the kernel drops what would leave by it.
        """
        deadline = time.monotonic() + _PORT_SECONDS
        while not self._switch.is_up(port):
            if time.monotonic() > deadline:
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT), f"port {port}")
            time.sleep(_PORT_PAUSE_SECONDS)

    def _try(self) -> None:
        """
        Connect from an environment's network to a server of this machine, as all of them will.
        """
        with closing(self.plug()) as link, socket.create_server(("127.0.0.1", 0)) as server:
            address = server.getsockname()
            try:
                inside(link.descriptor, lambda: socket.create_connection(address, _TRIAL_SECONDS)).close()
            except TimeoutError:
                raise NetworkUnavailable(
                    f"what environments send to {self.device} does not arrive: does a firewall drop it? let all "
                    "devices in whose names begin with wl"
                ) from None


class Link:
    """
    An environment's network: its namespace, and the way from there to the switch.

    - ``descriptor``: the namespace's, and ``path``: where another process finds it while the link is open
    - ``address``: where the servers see its connections come from; another one after its flows were lost
    - ``listener``: listens in the namespace, for the Runtime API
    """

    def __init__(self, switch: Switch, descriptor: int, port: int, address: str, listener: socket.socket) -> None:
        self._switch, self._port = switch, port
        self._network = CLEAR
        self._connected = True
        self._closed = False
        self._hardware = _hardware(address)
        self.descriptor = descriptor
        self.path = f"/proc/{os.getpid()}/fd/{descriptor}"
        self.address = address
        self.listener = listener

    def connect(self) -> None:
        """
        Let through what its network lets through, after `disconnect`.
        """
        self._connected = True
        self._apply()

    def disconnect(self) -> None:
        """
        Let nothing through; neither side gets a sign of it.
        """
        self._connected = False
        self._apply()

    def lay(self, network: Network) -> None:
        """
        Change what is wrong with it; any thread may.

        :raises UnusableNetwork: a link can't do that, or not with this kernel.
        """
        if network.cut != "none" or network.idle_drop_seconds is not None:
            raise UnusableNetwork(
                "a link can't reset or close connections, nor drop those that were idle: lay that network at the "
                "cluster's front"
            )
        if differ(network, self._network):
            impair(self.descriptor, DEVICE, network)
            self._switch.impair(self._port, network)
        if network.black_hole == "existing":
            old, self.address = self.address, self._switch.another_address(self._hardware)
            inside(self.descriptor, lambda: lose_flows(old, self.address, self._switch.lab))
        self._network = network
        self._apply()

    def close(self) -> None:
        """
        Let the namespace go, if that has not been done; it ends with the last process and connection in it.
        """
        if not self._closed:
            self._closed = True
            self.listener.close()
            os.close(self.descriptor)
            self._switch.unplug()

    def _apply(self) -> None:
        # An environment may be ended from two sides, and its port go with its namespace.
        if not self._closed:
            self._switch.pass_on(self._port, passes=self._connected and self._network.black_hole != "all")


def _hardware(address: str) -> bytes:
    # 02 marks a hardware address that no manufacturer has given.
    return b"\x02\x00" + socket.inet_aton(address)
