"""
A switch with real links, where this machine has them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from warmline.lab.errors import NetworkUnavailable
from warmline.lab.network import Link, Switch
from warmline.lab.workspace import Workspace


@pytest.fixture(scope="session")
def switch() -> Iterator[Switch]:
    with Workspace() as workspace:
        try:
            switch = Switch(workspace)
        except NetworkUnavailable as error:
            pytest.skip(str(error))
        yield switch
        switch.close()


@pytest.fixture
def link(switch: Switch) -> Iterator[Link]:
    link = switch.plug()
    yield link
    link.close()
