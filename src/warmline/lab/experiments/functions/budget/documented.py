"""
What MongoDB's page shows: the client at module level, with the driver's own defaults.
"""

from __future__ import annotations

import os
import time
from typing import Any

from pymongo import MongoClient

client: MongoClient[dict[str, Any]] = MongoClient(host=os.environ["MONGODB_URI"])


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any] | None:
    found = client["shop"]["orders"].find_one({"_id": event["id"]})
    # What else a request takes, so that the callers are there at the same time.
    time.sleep(event["seconds"])
    return found
