"""
Latency and loss of packets, by the kernel's netem.

Source: https://man7.org/linux/man-pages/man8/tc-netem.8.html
"""

from __future__ import annotations

import shutil
import subprocess

from ..errors import UnusableNetwork
from .conditions import Network
from .namespace import inside


def impair(namespace: int, device: str, network: Network) -> None:
    """
    Have a link delay and lose what leaves by it, or no longer.

    :raises UnusableNetwork: the kernel, or the program that tells it, can't do that here.
    """
    command = ["qdisc", "del", "dev", device, "root"]
    if _impairs(network):
        delay = [f"{seconds * 1000:.3f}ms" for seconds in (network.latency_seconds, network.jitter_seconds)]
        command = ["qdisc", "replace", "dev", device, "root", "netem", "delay", *delay]
        command += ["loss", f"{network.loss * 100:.4f}%"]
    tc = shutil.which("tc")
    if tc is None:
        raise UnusableNetwork(
            "latency and loss on a link need the program tc: install iproute2, or lay latency at the front"
        )
    done = inside(namespace, lambda: subprocess.run([tc, *command], capture_output=True, text=True, check=False))
    if done.returncode:
        raise UnusableNetwork(
            "a link can have neither latency nor loss with this kernel, which needs sch_netem: lay latency at the "
            f"cluster's front (tc says: {' '.join(done.stderr.split())})"
        )


def differ(one: Network, other: Network) -> bool:
    """
    Tell whether two networks delay or lose differently.
    """
    return _values(one) != _values(other)


def _impairs(network: Network) -> bool:
    return any(_values(network))


def _values(network: Network) -> tuple[float, ...]:
    return network.latency_seconds, network.jitter_seconds, network.loss
