"""
A DNS server as the lab has it, in a thread of its own, and the ways in which a child process can ask it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from warmline.lab.names.resolve import choose_resolver, python_hook

from .parts import NOBODY, Child, Server, zone_of


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(zone_of(3)) as server:
        yield server


@pytest.fixture
def namespace(server: Server, tmp_path: Path) -> Child:
    resolver = choose_resolver(server.address, directory=tmp_path / "names")
    if resolver.name != "mount-namespace":
        pytest.skip(resolver.explanation)
    return Child(resolver)


@pytest.fixture
def hook(server: Server) -> Child:
    return Child(python_hook(server.address, reason="a test"))


@pytest.fixture
def hook_as_nobody(hook: Child) -> Child:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user; this user has no root anyway")
    return Child(hook.resolver, NOBODY)


@pytest.fixture(params=["namespace", "hook", "hook_as_nobody"])
def child(request: pytest.FixtureRequest) -> Child:
    """
    Each way in turn.
    """
    way: Child = request.getfixturevalue(request.param)
    return way
