"""
Few kernels have netem, so here a program stands in for `tc`; with a real one `test_switch` measures the latency.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from warmline.lab.errors import UnusableNetwork
from warmline.lab.network import CLEAR, Link, Network

Asked = Callable[[], list[str]]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """
    Return what `tc` has been told since the last time, without the name of the switch's port.
    """
    log = tmp_path / "asked"
    program = tmp_path / "tc"
    program.write_text(f'#!/bin/sh\necho "$*" | sed "s/port[0-9]*/port/" >> {log}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def asked() -> list[str]:
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    return asked


def test_packets_are_late_and_lost_in_both_directions(link: Link, asked: Asked) -> None:
    link.lay(Network(latency_seconds=0.05, jitter_seconds=0.01, loss=0.005))

    netem = "root netem delay 50.000ms 10.000ms loss 0.5000%"
    assert asked() == [f"qdisc replace dev eth0 {netem}", f"qdisc replace dev port {netem}"]

    link.lay(CLEAR)

    assert asked() == ["qdisc del dev eth0 root", "qdisc del dev port root"]


def test_nothing_is_asked_for_that_is_so_already(link: Link, asked: Asked) -> None:
    link.lay(Network(black_hole="all"))
    link.lay(CLEAR)
    link.lay(Network(loss=0.1))
    asked()
    link.lay(Network(loss=0.1, black_hole="existing"))

    assert asked() == []


def test_without_tc_it_says_what_to_install(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(UnusableNetwork, match="install iproute2, or lay latency at the front"):
        link.lay(Network(loss=0.1))
