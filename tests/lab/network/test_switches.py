from __future__ import annotations

import errno
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from warmline.lab.network import Link, Switch, Switches, switch
from warmline.lab.network.namespace import inside
from warmline.lab.workspace import Workspace

# One fixture says whether there are networks here.
pytestmark = pytest.mark.usefixtures("switch")


def devices(workspace: Workspace) -> int:
    """
    How many links the machine sees of a workspace's switches.
    """
    return len(list(Path("/sys/class/net").glob(f"wl{workspace.token[:9]}-*")))


def reaches_the_lab(link: Link) -> bool:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        inside(link.descriptor, lambda: socket.create_connection(address, 5)).close()
        connection, (source, _) = server.accept()
        connection.close()
        return bool(source == link.address)


def test_a_full_switch_takes_no_other_link_until_one_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switch, "PORTS", 1)
    with Workspace() as workspace:
        one = Switch(workspace)
        link = one.plug()
        with pytest.raises(OSError, match=one.device) as full:
            one.plug()
        assert full.value.errno == errno.EXFULL

        link.close()

        another = one.plug()
        assert reaches_the_lab(another)
        another.close()
        one.close()


def test_there_are_as_many_switches_as_the_links_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switch, "PORTS", 3)
    with Workspace() as workspace:
        switches = Switches(workspace)
        assert devices(workspace) == 1
        with ThreadPoolExecutor(4) as threads:
            links = list(threads.map(lambda _: switches.plug(), range(7)))
        assert devices(workspace) == 3
        assert len({link.address for link in links}) == 7
        assert all(reaches_the_lab(link) for link in links)
        for link in links:
            link.close()

        again = [switches.plug() for _ in range(7)]

        assert devices(workspace) == 3
        for link in again:
            link.close()
        switches.close()
        assert devices(workspace) == 0
