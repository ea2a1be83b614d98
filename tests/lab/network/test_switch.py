from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from warmline.lab.errors import NetworkUnavailable, UnusableNetwork
from warmline.lab.network import CLEAR, Link, Network, Switch
from warmline.lab.network.namespace import inside, new_namespace
from warmline.lab.workspace import Workspace

# Longer than a round trip takes, shorter than the kernel waits before it sends a lost packet again and again.
PATIENCE_SECONDS = 5.0
SILENCE_SECONDS = 0.3


class Pair:
    """
    The two ends of a connection from an environment to a server of the lab.
    """

    def __init__(self, link: Link, server: socket.socket) -> None:
        address = server.getsockname()
        self.inner = inside(link.descriptor, lambda: socket.create_connection(address, PATIENCE_SECONDS))
        self.outer, (self.source, _) = server.accept()

    def close(self) -> None:
        self.inner.close()
        self.outer.close()

    @property
    def works(self) -> bool:
        """
        Whether a message arrives, from either end at the other.
        """
        return self.arrives(self.inner, self.outer) and self.arrives(self.outer, self.inner)

    @staticmethod
    def arrives(sender: socket.socket, receiver: socket.socket, seconds: float = PATIENCE_SECONDS) -> bool:
        sender.sendall(b"x")
        receiver.settimeout(seconds)
        try:
            return receiver.recv(1) == b"x"
        except TimeoutError:
            return False

    @property
    def is_silent(self) -> bool:
        """
        Whether nothing arrives, in either direction.
        """
        return not (
            self.arrives(self.inner, self.outer, SILENCE_SECONDS)
            or self.arrives(self.outer, self.inner, SILENCE_SECONDS)
        )


Connect = Callable[[], Pair]


@pytest.fixture
def connect(link: Link) -> Iterator[Connect]:
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def connect() -> Pair:
            pair = Pair(link, server)
            stack.callback(pair.close)
            return pair

        yield connect


def test_a_server_of_the_lab_on_loopback_is_reached_from_inside_at_its_own_address(
    connect: Connect, link: Link
) -> None:
    pair = connect()

    assert pair.works
    assert pair.source == link.address
    assert pair.inner.getpeername() == pair.outer.getsockname()


def test_a_name_server_of_the_lab_is_reached_at_whatever_loopback_address(link: Link) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        server.bind(("127.61.7.9", 53))
        client = stack.enter_context(inside(link.descriptor, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
        client.settimeout(PATIENCE_SECONDS)
        client.connect(("127.61.7.9", 53))
        client.send(b"question")
        question, address = server.recvfrom(100)
        server.sendto(b"answer", address)

        assert (question, client.recv(100)) == (b"question", b"answer")


def test_what_listens_inside_is_reached_inside_and_from_nowhere_else(link: Link, switch: Switch) -> None:
    def listens_where_it_likes() -> socket.socket:
        return socket.create_server(("0.0.0.0", 0))

    other = switch.plug()
    with inside(link.descriptor, listens_where_it_likes) as server:
        port = server.getsockname()[1]
        inside(link.descriptor, lambda: socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        with pytest.raises(ConnectionRefusedError):
            inside(other.descriptor, lambda: socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS))
    other.close()


def test_every_environment_has_the_runtime_apis_port_to_itself(switch: Switch) -> None:
    links = [switch.plug() for _ in range(2)]

    assert [link.listener.getsockname() for link in links] == [("127.0.0.1", 9001)] * 2
    assert len({link.address for link in links}) == 2
    for link in links:
        link.close()


def test_there_is_no_way_from_inside_to_anywhere_but_the_lab(link: Link) -> None:
    with pytest.raises(OSError, match="unreachable"):
        inside(link.descriptor, lambda: socket.create_connection(("192.0.2.1", 80), PATIENCE_SECONDS))


def test_a_link_that_was_cut_passes_nothing_and_then_everything_that_was_sent_meanwhile(
    connect: Connect, link: Link
) -> None:
    pair = connect()
    link.disconnect()
    assert pair.is_silent

    link.connect()

    assert pair.outer.recv(1) == b"x"
    assert pair.inner.recv(1) == b"x"
    assert pair.works


def test_lost_flows_stay_lost_and_new_ones_work(connect: Connect, link: Link) -> None:
    old = connect()
    first = link.address
    for _ in range(2):
        link.lay(Network(black_hole="existing"))

        assert old.is_silent
        new = connect()
        assert new.works
        assert new.source == link.address != first
        old = new

    link.lay(CLEAR)
    assert new.works


def test_in_a_black_hole_nothing_passes_until_it_is_gone(connect: Connect, link: Link) -> None:
    pair = connect()
    link.lay(Network(black_hole="all"))
    assert pair.is_silent
    # A thaw is no end to it.
    link.disconnect()
    link.connect()
    assert pair.is_silent
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(TimeoutError):
        inside(link.descriptor, lambda: socket.create_connection(server.getsockname(), SILENCE_SECONDS))

    link.lay(CLEAR)

    assert connect().works


@pytest.mark.parametrize("network", [Network(cut="reset"), Network(cut="close"), Network(idle_drop_seconds=1)])
def test_what_only_a_front_can_do_is_refused(link: Link, network: Network) -> None:
    with pytest.raises(UnusableNetwork, match=r"can't reset or close.*front"):
        link.lay(network)


def has_netem() -> bool:
    """
    Ask the kernel in a namespace that is thrown away.
    """
    command = ["tc", "qdisc", "add", "dev", "lo", "root", "netem"]
    namespace = new_namespace()
    done = inside(namespace, lambda: subprocess.run(command, capture_output=True, check=False))
    os.close(namespace)
    return done.returncode == 0


def test_latency_takes_as_long_as_it_should_or_is_refused_with_the_kernels_reason(connect: Connect, link: Link) -> None:
    pair = connect()
    if not has_netem():
        with pytest.raises(UnusableNetwork, match=r"with this kernel, which needs sch_netem.*front \(tc says"):
            link.lay(Network(latency_seconds=0.1))
        assert pair.works
        return
    link.lay(Network(latency_seconds=0.1))
    began = time.monotonic()
    assert pair.works
    assert time.monotonic() - began >= 0.2

    link.lay(CLEAR)
    assert pair.works


def test_a_closed_link_may_be_told_anything(switch: Switch) -> None:
    link = switch.plug()
    link.close()

    link.close()
    link.connect()
    link.disconnect()


def test_of_a_closed_switch_nothing_is_left(switch: Switch) -> None:
    with Workspace() as workspace:
        another = Switch(workspace)
        device = another.device
        assert device in devices()
        link = another.plug()
        another.close()

        assert device not in devices()
        link.close()


LAB = """
import time
from warmline.lab.network import Switch
from warmline.lab.workspace import Workspace

with Workspace() as workspace:
    switch = Switch(workspace)
    links = [switch.plug() for _ in range(3)]
    print(switch.device, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_of_a_lab_that_was_ended_nothing_is_left(switch: Switch, number: signal.Signals) -> None:
    lab = subprocess.Popen([sys.executable, "-c", LAB], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert lab.stdout is not None
    device = lab.stdout.readline().strip()
    assert device in devices()

    lab.send_signal(number)
    lab.communicate()

    deadline = time.monotonic() + 10
    while device in devices():
        assert time.monotonic() < deadline, f"{device} is still there"
        time.sleep(0.01)


def devices() -> set[str]:
    return {device.name for device in Path("/sys/class/net").iterdir()}


def test_without_root_there_is_no_network_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with Workspace() as workspace, pytest.raises(NetworkUnavailable, match="needs root"):
        Switch(workspace)


def test_a_container_without_the_capabilities_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def new_namespace() -> int:
        raise PermissionError(1, "Operation not permitted", "unshare")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("warmline.lab.network.switch.new_namespace", new_namespace)
    with Workspace() as workspace, pytest.raises(NetworkUnavailable, match=r"refused here: .*'unshare'.*NET_ADMIN"):
        Switch(workspace)
