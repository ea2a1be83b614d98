from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from warmline.lab.errors import NetworkUnavailable
from warmline.lab.network import numbers
from warmline.lab.network.numbers import free_block, lab_ports, own_ports

# /proc/net/route: a default route, 10.0.0.0/8 and 172.16.0.0/12.
ROUTES = """\
Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
tun0	0000000A	00000000	0001	0	0	0	000000FF	0	0	0
docker0	000010AC	00000000	0001	0	0	0	0000F0FF	0	0	0
"""


def test_a_block_is_chosen_that_no_route_leads_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "route").write_text(ROUTES)
    monkeypatch.setattr(numbers, "_ROUTES", tmp_path / "route")

    blocks = {free_block() for _ in range(50)}

    assert blocks == {ipaddress.IPv4Network("198.18.0.0/16"), ipaddress.IPv4Network("198.19.0.0/16")}


def test_where_routes_lead_to_every_block_there_is_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = "tun1	000012C6	00000000	0001	0	0	0	0000FEFF	0	0	0"  # 198.18.0.0/15
    (tmp_path / "route").write_text(f"{ROUTES}{more}\n")
    monkeypatch.setattr(numbers, "_ROUTES", tmp_path / "route")

    with pytest.raises(NetworkUnavailable, match="no private block of addresses is free"):
        free_block()


def test_an_environments_own_ports_are_below_those_that_the_labs_servers_get(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "range").write_text("32768\t60999\n")
    monkeypatch.setattr(numbers, "_PORT_RANGE", tmp_path / "range")

    assert lab_ports()[0] == (32768, 60999)
    assert own_ports() == (24576, 32767)


def test_where_servers_get_almost_any_port_there_is_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "range").write_text("1024 65535\n")
    monkeypatch.setattr(numbers, "_PORT_RANGE", tmp_path / "range")

    with pytest.raises(NetworkUnavailable, match=r"programs get ports from 1024 on here.*ip_local_port_range"):
        own_ports()
