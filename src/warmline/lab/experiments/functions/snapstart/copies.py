"""
Makes a process what it would be on AWS: one of many copies of the same memory.

There every environment is restored from one snapshot. In the lab each snapshot is a process of its own, so what their
memory would have in common is made equal here, while Init still runs, for every variant alike.
"""

from __future__ import annotations

import random
from typing import Any

from bson import Binary, ObjectId
from pymongo import MongoClient


def draw_alike() -> None:
    """
    Give ``random`` the state that it has in every copy.
    """
    random.seed(20)


def remember_alike(client: MongoClient[dict[str, Any]]) -> None:
    """
    Give ``random``, ``ObjectId`` and the client's unused server sessions the state that they have in every copy.
    """
    draw_alike()
    ObjectId()
    ObjectId._ObjectId__random = b"alike"  # type: ignore[attr-defined]  # noqa: SLF001
    ObjectId._inc = 1  # noqa: SLF001
    # A client that has not been used yet has neither.
    if client._topology is not None:  # noqa: SLF001
        for number, session in enumerate(client._topology._session_pool):  # noqa: SLF001
            session.session_id = {"id": Binary(bytes([number] * 16), 4)}
