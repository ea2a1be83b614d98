"""
Network namespaces without a name: each lives as long as something is open in it, so that none can be left behind.

Source: https://man7.org/linux/man-pages/man7/network_namespaces.7.html
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

# <linux/sched.h>; Python has setns and unshare since 3.12.
_CLONE_NEWNET = 0x40000000

T = TypeVar("T")


def new_namespace() -> int:
    """
    Make a network namespace and return a descriptor of it. Only its loopback is to have IPv6.

    :raises OSError: this process may not.
    """

    def make() -> int:
        _check(ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET), "unshare")
        without_ipv6("default")
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY)

    return in_own_thread(make)


def inside(namespace: int, work: Callable[[], T]) -> T:
    """
    Do something in a namespace: sockets that are made there belong to it for good, programs started there run in it.
    """

    def enter() -> T:
        _check(ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET), "setns")
        return work()

    return in_own_thread(enter)


def in_own_thread(work: Callable[[], T]) -> T:
    """
    Do it in a thread that ends afterwards: a namespace is a thread's, and this one's must stay what it is.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="warmline-network")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


def without_ipv6(link: str) -> None:
    """
    Have a link, or by ``default`` all that come, do without IPv6: it would tell its neighbours of itself.
    """
    # There is no such setting where there is no IPv6.
    with suppress(FileNotFoundError):
        write_setting(f"ipv6/conf/{link}/disable_ipv6", "1")


def write_setting(name: str, value: str) -> None:
    """
    Set one of /proc/sys/net, which is the calling thread's namespace's.
    """
    Path(f"/proc/sys/net/{name}").write_text(value)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
