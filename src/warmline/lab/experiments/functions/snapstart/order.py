"""
What the function does, whatever its client: it writes one order.
"""

from __future__ import annotations

import time
from typing import Any

from bson import ObjectId
from pymongo import MongoClient


def place(event: dict[str, Any], client: MongoClient[dict[str, Any]]) -> dict[str, Any]:
    """
    Write one order and tell how long that took, which mongos the client knows, and what an id would be made of.
    """
    began = time.perf_counter()
    client["shop"][event["collection"]].insert_one({"_id": event["order"]})
    milliseconds = (time.perf_counter() - began) * 1000
    return {
        "milliseconds": milliseconds,
        "mongos": sorted(f"{host}:{port}" for host, port in client.topology_description.server_descriptions()),
        # Without the seconds that it begins with.
        "object_id": ObjectId().binary[4:].hex(),
    }
