"""
A client at module level, with what the URI says.
"""

from __future__ import annotations

import os
from typing import Any

from pymongo import MongoClient

client: MongoClient[dict[str, Any]] = MongoClient(os.environ["MONGODB_URI"])


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any] | None:
    return client["shop"]["orders"].find_one({"_id": event["id"]})
