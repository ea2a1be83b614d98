"""
Node.js with its packages, installed once below ``build/``.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from warmline.lab.errors import NodeUnavailable
from warmline.lab.node import Node, install_node

CACHE = Path(__file__).resolve().parents[2] / "build" / "cache"


@pytest.fixture
def node_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Have the packages installed, and looked for, below ``build/``.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(CACHE))


@pytest.fixture
def node(node_cache: None) -> Node:
    try:
        return asyncio.run(install_node())
    except NodeUnavailable as error:
        pytest.skip(str(error))
