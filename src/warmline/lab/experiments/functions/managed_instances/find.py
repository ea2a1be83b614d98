"""
What the function does, whatever its client: it finds one order, and is busy for a while.
"""

from __future__ import annotations

import os
import time
from typing import Any

from pymongo import MongoClient


def find(event: dict[str, Any], client: MongoClient[dict[str, Any]]) -> dict[str, Any]:
    """
    Find one order and tell how long that took, and in which process.
    """
    began = time.perf_counter()
    client["shop"]["orders"].find_one({"_id": event["id"]})
    milliseconds = (time.perf_counter() - began) * 1000
    # So that the next event goes to another worker.
    time.sleep(event["busy_seconds"])
    return {"milliseconds": milliseconds, "process": os.getpid()}
