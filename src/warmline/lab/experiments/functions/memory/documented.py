"""
What MongoDB's page shows: the client at module level, with the driver's own defaults.
"""

from __future__ import annotations

import os
from typing import Any

from pymongo import MongoClient

client: MongoClient[dict[str, Any]] = MongoClient(host=os.environ["MONGODB_URI"])


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any] | None:
    return client["shop"]["orders"].find_one({"_id": event["id"]})
